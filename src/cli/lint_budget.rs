//! The budget in force: presets, and own ones from the configuration.
//!
//! Comes in: names and `[lint.budget.*]`. Goes out: the smallest limit of every kind.

use thiserror::Error;

use super::nearest::{meant, nearest};
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
#[error("there is no budget '{name}'{}", meant(nearest.as_deref()))]
pub(super) struct NoSuchBudget {
    name: String,
    nearest: Option<String>,
}

/// The smallest limits of these budgets.
pub(super) fn budget(names: &[String], own: &[OwnBudget]) -> Result<Budget, NoSuchBudget> {
    let mut budget = Budget::default();
    for name in names {
        add(&mut budget, name.trim(), own, &|_| true, own.len())?;
    }
    Ok(budget)
}

/// Adds the limits of a budget that are wanted, and of those it extends the ones it does not set itself. A budget that extends
/// itself, over however many others, adds nothing new: `depth` ends that.
fn add(
    budget: &mut Budget,
    name: &str,
    own: &[OwnBudget],
    wanted: &dyn Fn(Cell) -> bool,
    depth: usize,
) -> Result<(), NoSuchBudget> {
    let Some(mine) = own.iter().find(|own| own.name == name) else {
        return narrow(budget, name, wanted).ok_or_else(|| unknown(name, own));
    };
    for extended in mine.extends.iter().filter(|_| depth > 0) {
        let free = |cell| wanted(cell) && !mine.cells.iter().any(|(set, _)| *set == cell);
        add(budget, extended, own, &free, depth - 1)?;
    }
    let mine = mine.cells.iter().filter(|(cell, _)| wanted(*cell));
    mine.for_each(|(cell, limit)| budget.narrow(*cell, *limit, name));
    Ok(())
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
    fn own_budgets_extend_each_other_even_in_circles() {
        let own = |name: &str, extends: &str, limit| OwnBudget {
            name: name.into(),
            extends: vec![extends.into()],
            cells: vec![(Cell::AttrValueBytes, limit)],
        };
        let own = [own("a", "b", 20), own("b", "a", 10)];
        let bound = |name: &str| budget(&[name.to_owned()], &own).unwrap().get(Cell::AttrValueBytes).map(|b| b.limit);
        assert_eq!((bound("a"), bound("b")), (Some(20), Some(10)));
    }

    #[test]
    fn slips_are_pointed_out() {
        let error = budget(&["leta".to_owned()], &[]).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("there is no budget 'leta' (did you mean 'letta'?)"));
    }
}
