//! Where in a JSON value a byte stands, as a path people can follow.
//!
//! Comes in: the bytes of a value and an offset. Goes out: something like `.attributes[2].value.intValue`. Used for the first
//! oddity of a kind only, so it may read the value from its beginning.

use super::cursor::{Cursor, Halt};
use super::notes::Notes;

/// Of a deeper path only so many levels at either end are told.
const SHOWN: usize = 12;

enum Level {
    Object(String),
    Array(usize),
}

/// The path from the value that starts at the beginning of `bytes` to the byte at `offset`.
pub(super) fn to_offset(bytes: &[u8], offset: usize) -> String {
    let mut levels = Vec::new();
    let mut notes = Notes::default();
    let mut cursor = Cursor::new(bytes, 0, &mut notes);
    // Reading stops at the offset or at what is broken: the path so far is the answer either way.
    let _: Result<(), Halt> = descend(&mut cursor, offset, &mut levels);
    let mut path = String::new();
    for (depth, level) in levels.iter().enumerate() {
        if depth == SHOWN && levels.len() > 2 * SHOWN {
            path.push('…');
        }
        if (SHOWN..levels.len().saturating_sub(SHOWN)).contains(&depth) {
            continue;
        }
        match level {
            Level::Object(key) if !key.is_empty() => {
                path.push('.');
                path.push_str(key);
            }
            Level::Object(_) => {}
            Level::Array(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// Reads tokens, keeping the stack of where it is, until `offset` is passed.
fn descend(cursor: &mut Cursor<'_, '_>, offset: usize, levels: &mut Vec<Level>) -> Result<(), Halt> {
    loop {
        let c = cursor.peek()?;
        if cursor.at >= offset {
            return Ok(());
        }
        match c {
            b'{' => {
                cursor.at += 1;
                levels.push(Level::Object(String::new()));
                if cursor.peek()? == b'"' {
                    key(cursor, levels)?;
                }
            }
            b'[' => {
                cursor.at += 1;
                levels.push(Level::Array(0));
            }
            b'}' | b']' => {
                cursor.at += 1;
                levels.pop();
            }
            b',' => {
                cursor.at += 1;
                match levels.last_mut() {
                    Some(Level::Array(index)) => *index += 1,
                    _ => key(cursor, levels)?,
                }
            }
            b'"' => {
                let text = cursor.string()?;
                if cursor.at > offset && !text.is_empty() {
                    return Ok(());
                }
            }
            _ => cursor.skip()?,
        }
        if levels.is_empty() || cursor.at > offset {
            return Ok(());
        }
    }
}

fn key(cursor: &mut Cursor<'_, '_>, levels: &mut [Level]) -> Result<(), Halt> {
    let key = cursor.key()?;
    if let Some(Level::Object(name)) = levels.last_mut() {
        *name = key.decode().into_owned();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_the_byte() {
        let json =
            r#"{"name":"x","attributes":[{"key":"a","value":{"intValue":1}},{"key":"b","value":{"intValue":nan}}]}"#;
        assert_eq!(to_offset(json.as_bytes(), json.find("nan").unwrap()), ".attributes[1].value.intValue");
        assert_eq!(to_offset(json.as_bytes(), json.find("\"x\"").unwrap()), ".name");
        assert_eq!(to_offset(json.as_bytes(), 0), "");
        assert_eq!(to_offset(b"[[1,2],[3", 8), "[1][0]");
    }
}
