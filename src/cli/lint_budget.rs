//! The budget in force: presets, and own ones from the configuration.
//!
//! Comes in: names and `[lint.budget.*]`. Goes out: the smallest limit of every kind.

use thiserror::Error;

use super::nearest::nearest;
use crate::lint::{Budget, Cell, PRESETS, preset};

/// A budget of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OwnBudget {
    /// Its name.
    pub(super) name: String,
    /// Presets whose limits it takes over.
    pub(super) extends: Vec<String>,
    /// Its own limits, which stand over theirs.
    pub(super) cells: Vec<(Cell, u64)>,
}

/// No budget has this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no budget '{name}'{}", nearest.as_ref().map(|near| format!(" (did you mean '{near}'?)")).unwrap_or_default())]
pub(super) struct NoSuchBudget {
    name: String,
    nearest: Option<String>,
}

/// The smallest limits of these budgets.
pub(super) fn budget(names: &[String], own: &[OwnBudget]) -> Result<Budget, NoSuchBudget> {
    let mut budget = Budget::default();
    for name in names {
        let name = name.trim();
        match own.iter().find(|own| own.name == name) {
            Some(own) => {
                for extended in &own.extends {
                    let free = |cell| !own.cells.iter().any(|(set, _)| *set == cell);
                    narrow(&mut budget, extended, free).ok_or_else(|| unknown(extended, &[]))?;
                }
                own.cells.iter().for_each(|(cell, limit)| budget.narrow(*cell, *limit, name));
            }
            None => narrow(&mut budget, name, |_| true).ok_or_else(|| unknown(name, own))?,
        }
    }
    Ok(budget)
}

fn narrow(budget: &mut Budget, name: &str, wanted: impl Fn(Cell) -> bool) -> Option<()> {
    let preset = preset(name)?;
    for (cell, limit) in preset.cells.iter().filter(|(cell, _)| wanted(*cell)) {
        budget.narrow(*cell, *limit, preset.name);
    }
    Some(())
}

fn unknown(name: &str, own: &[OwnBudget]) -> NoSuchBudget {
    let known = PRESETS.iter().map(|preset| preset.name).chain(own.iter().map(|own| own.name.as_str()));
    NoSuchBudget { name: name.to_owned(), nearest: nearest(name, known).map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_limits_stand_over_those_they_extend() {
        let own = OwnBudget {
            name: "mine".into(),
            extends: vec!["tempo".into()],
            cells: vec![(Cell::AttrValueBytes, 16 << 10)],
        };
        let budget = budget(&["mine".to_owned()], &[own]).unwrap();
        assert_eq!(
            budget.get(Cell::AttrValueBytes).map(|bound| (bound.limit, &*bound.preset)),
            Some((16 << 10, "mine"))
        );
        assert_eq!(budget.get(Cell::TraceBytes).map(|bound| &*bound.preset), Some("tempo"));
    }

    #[test]
    fn slips_are_pointed_out() {
        let error = budget(&["leta".to_owned()], &[]).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("there is no budget 'leta' (did you mean 'letta'?)"));
    }
}
