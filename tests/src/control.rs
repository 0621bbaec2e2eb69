//! What a screen reader finds on a page: roles, names and states, from the browser's own accessibility tree.

use serde_json::Value;

/// One thing on a page.
#[derive(Clone, Debug)]
pub struct Control {
    /// What it is: `button`, `textbox`, `alertdialog`…
    pub role: String,
    /// What it is called.
    pub name: String,
    /// What it holds, if it holds something: the text of a field.
    pub value: String,
    /// Whether it is pressed in; `None` when it is no toggle.
    pub pressed: Option<bool>,
    /// Whether it takes no input now.
    pub disabled: bool,
    /// The browser's number of its element.
    pub(crate) element: i64,
}

impl Control {
    /// Reads one node of the tree; `None` for what assistive technology is not shown.
    pub(crate) fn read(node: &Value) -> Option<Self> {
        if node["ignored"] == true {
            return None;
        }
        let word = |value: &Value| value["value"].as_str().unwrap_or_default().trim().to_owned();
        let state = |name: &str| {
            let states = node["properties"].as_array()?;
            states.iter().find(|state| state["name"] == name).map(|state| &state["value"]["value"])
        };
        Some(Self {
            role: word(&node["role"]),
            name: word(&node["name"]),
            value: word(&node["value"]),
            pressed: state("pressed").map(|value| value == "true" || value == true),
            disabled: state("disabled").is_some_and(|value| value == true || value == "true"),
            element: node["backendDOMNodeId"].as_i64().unwrap_or_default(),
        })
    }

    /// Whether it is of that role and name.
    #[must_use]
    pub fn is(&self, role: &str, name: &str) -> bool {
        self.role == role && self.name == name
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_toggle_says_whether_it_is_pressed() {
        let node = json!({
            "role": {"value": "button"}, "name": {"value": "Microphone"}, "backendDOMNodeId": 4,
            "properties": [{"name": "pressed", "value": {"type": "tristate", "value": "true"}}],
        });

        let control = Control::read(&node).unwrap();

        assert!(control.is("button", "Microphone"));
        assert_eq!((control.pressed, control.disabled), (Some(true), false));
    }

    #[test]
    fn what_is_hidden_from_people_is_not_there() {
        let node =
            json!({"ignored": true, "role": {"value": "button"}, "name": {"value": "Ghost"}});

        assert!(Control::read(&node).is_none());
    }
}
