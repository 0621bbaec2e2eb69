//! The accessibility checker axe, run beside a page and not in it.

use std::fs;

use serde_json::json;

use crate::page::Page;

/// Checks one frame; the others get their own run. A rule broken is told with the elements that break it. Axe does not
/// look for a page that has to be moved sideways to be read (WCAG 2.2 §1.4.10), so we do.
const RUN: &str = "(async () => {
    const found = await axe.run(document, { iframes: false, resultTypes: ['violations'] });
    const { scrollWidth, clientWidth } = document.documentElement;
    const sideways = scrollWidth > clientWidth ? [`reflow: ${scrollWidth} px wide, where ${clientWidth} are seen`] : [];
    return sideways.concat(found.violations.map((rule) => rule.id + ': ' + rule.help + rule.nodes.map((node) => '\\n    ' + node.html.slice(0, 160) + ' ' + node.failureSummary.replaceAll('\\n', ' ')).join('')));
})()";

impl Page {
    /// Asserts that axe has nothing to say, in no frame of the page.
    ///
    /// # Panics
    /// When it has, or is not installed.
    #[track_caller]
    pub fn assert_accessible(&self, state: &str) {
        let path = crate::npm_dir().join("axe-core/axe.min.js");
        let axe = fs::read_to_string(&path).expect("`cargo xtask test` brings it");
        for frame in self.frames() {
            // A world of its own sees the same document, leaves the page's script alone, and has no CSP of the page.
            let world = json!({ "frameId": frame, "worldName": "axe" });
            let world =
                self.call("Page.createIsolatedWorld", world).expect("a frame takes another world");
            let world = world["executionContextId"].as_i64();
            self.evaluate_in(world, &axe).expect("axe loads");
            let found = self.evaluate_in(world, RUN).expect("axe runs");
            let broken: Vec<_> =
                found.as_array().into_iter().flatten().filter_map(|rule| rule.as_str()).collect();
            assert!(
                broken.is_empty(),
                "{state} breaks rules of accessibility:\n{}",
                broken.join("\n")
            );
        }
    }
}
