//! Compares what shall stand on the page with what does.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::Node;

use super::{Act, Child, Element, Farewell, Text};
use crate::{Listener, page};

const SVG: &str = "http://www.w3.org/2000/svg";

/// What stands on the page.
pub(super) struct Drawn {
    node: Node,
    what: What,
}

enum What {
    Text(Text),
    Element(Box<Standing>),
}

/// An element on the page, and how it was drawn last.
struct Standing {
    node: web_sys::Element,
    tag: &'static str,
    fixed: &'static [(&'static str, &'static str)],
    key: Text,
    attributes: Vec<(&'static str, Text)>,
    ears: Vec<Ear>,
    stamp: Option<usize>,
    farewell: Option<Farewell>,
    children: Vec<Drawn>,
}

/// Hears one kind of event. What is done then is another one after each drawing.
struct Ear {
    kind: &'static str,
    act: Rc<RefCell<Act>>,
    _listener: Listener,
}

/// What is done when everything stands.
type Later = Vec<Box<dyn FnOnce()>>;

/// Makes the body of the page what `elements` say; `drawn` is what they said last.
pub(super) fn draw(drawn: &RefCell<Vec<Drawn>>, elements: Vec<Element>) {
    let body = page::document().body().expect("a page has a body");
    let mut later = Later::new();
    let children = elements.into_iter().map(Child::Element).collect();
    draw_children(&body, &mut drawn.borrow_mut(), children, &mut later);
    for act in later {
        act();
    }
}

fn draw_children(parent: &Node, drawn: &mut Vec<Drawn>, children: Vec<Child>, later: &mut Later) {
    let end = drawn.last().map(|last| last.node.clone());
    let mut old: Vec<_> = drawn.drain(..).map(Some).collect();
    let (mut expected, mut is_placed) = (0, true);
    let mut kept = Vec::with_capacity(children.len());
    for child in &children {
        let fits = |at: &usize| old[*at].as_ref().is_some_and(|drawn| drawn.is_for(child));
        let found = (expected..old.len()).chain(0..expected).find(fits);
        is_placed &= found.is_some_and(|at| at >= expected);
        expected = found.map_or(expected, |at| at + 1);
        kept.push(found.and_then(|at| old[at].take()));
    }
    // What follows may be somebody else's.
    let mut next = end.filter(|_| !is_placed).and_then(|end| end.next_sibling());
    for gone in old.into_iter().flatten() {
        parent.remove_child(&gone.node).ok();
        gone.leave(later);
    }
    for (kept, child) in kept.into_iter().zip(children) {
        drawn.push(Drawn::draw(kept, child, later));
    }
    if is_placed {
        return;
    }
    // From the end, so that what stands right is not moved: moving takes away focus, and loads a frame again.
    for Drawn { node, .. } in drawn.iter().rev() {
        if node.parent_node().is_none() || node.next_sibling() != next {
            parent.insert_before(node, next.as_ref()).expect("what follows is in the same parent");
        }
        next = Some(node.clone());
    }
}

impl Drawn {
    /// Whether `child` is to be drawn into this.
    fn is_for(&self, child: &Child) -> bool {
        match (&self.what, child) {
            (What::Text(_), Child::Text(_)) => true,
            (What::Element(old), Child::Element(new)) => {
                old.key == new.key && old.tag == new.tag && old.fixed == new.fixed
            }
            (What::Text(_), Child::Element(_)) | (What::Element(_), Child::Text(_)) => false,
        }
    }

    fn draw(kept: Option<Self>, child: Child, later: &mut Later) -> Self {
        match child {
            Child::Text(text) => {
                let node = match kept {
                    Some(Self { node, what: What::Text(old) }) => {
                        if old != text {
                            node.set_node_value(Some(&text));
                        }
                        node
                    }
                    Some(_) | None => page::document().create_text_node(&text).into(),
                };
                Self { node, what: What::Text(text) }
            }
            Child::Element(element) => {
                let mut standing = match kept {
                    Some(Self { what: What::Element(standing), .. }) => standing,
                    Some(_) | None => Standing::new(&element),
                };
                standing.draw(element, later);
                Self { node: standing.node.clone().into(), what: What::Element(standing) }
            }
        }
    }

    /// It and all in it are gone.
    fn leave(self, later: &mut Later) {
        if let What::Element(standing) = self.what {
            later.extend(standing.farewell);
            for child in standing.children {
                child.leave(later);
            }
        }
    }
}

impl Standing {
    fn new(element: &Element) -> Box<Self> {
        let document = page::document();
        let node = match element.tag {
            "svg" | "path" | "g" | "circle" | "text" => {
                document.create_element_ns(Some(SVG), element.tag)
            }
            _ => document.create_element(element.tag),
        }
        .expect("tags are names");
        for (name, value) in element.fixed {
            write(&node, name, value);
        }
        Box::new(Self {
            node,
            tag: element.tag,
            fixed: element.fixed,
            key: element.key.clone(),
            attributes: Vec::new(),
            ears: Vec::new(),
            stamp: None,
            farewell: None,
            children: Vec::new(),
        })
    }

    fn draw(&mut self, element: Element, later: &mut Later) {
        for (name, _) in &self.attributes {
            if element.attributes.iter().all(|(kept, _)| kept != name) {
                self.node.remove_attribute(name).ok();
            }
        }
        for attribute in &element.attributes {
            if !self.attributes.contains(attribute) {
                write(&self.node, attribute.0, &attribute.1);
            }
        }
        self.attributes = element.attributes;
        self.listen(element.acts);
        draw_children(&self.node, &mut self.children, element.children, later);
        if let Some((stamp, care)) = element.care
            && self.stamp.replace(stamp) != Some(stamp)
        {
            let node = self.node.clone();
            later.push(Box::new(move || care(&node)));
        }
        self.farewell = element.farewell;
    }

    fn listen(&mut self, acts: Vec<(&'static str, Act)>) {
        self.ears.retain(|ear| acts.iter().any(|(kind, _)| *kind == ear.kind));
        for (kind, act) in acts {
            if let Some(ear) = self.ears.iter().find(|ear| ear.kind == kind) {
                ear.act.replace(act);
                continue;
            }
            let act = Rc::new(RefCell::new(act));
            let current = Rc::clone(&act);
            let hear = move |event| {
                // Not borrowed while it acts.
                let act = Rc::clone(&current.borrow());
                act(&event);
            };
            let listener = Listener::new(self.node.unchecked_ref(), kind, hear);
            self.ears.push(Ear { kind, act, _listener: listener });
        }
    }
}

fn write(node: &web_sys::Element, name: &str, value: &str) {
    node.set_attribute(name, value).expect("attributes have names");
}
