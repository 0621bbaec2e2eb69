//! The same stories, told natively and by the engine of a browser: to the last bit, the same happens in both.

use std::process::Command;

/// The module, and the lines around it that Node can load.
const MODULE: &str = "replay/replay.js";

/// Tells each story that is named in an argument, as JSON, and prints what comes of it.
const TELL: &str = "\
const { trace } = require(process.argv[1]);
for (const [nodes, faults, tricks, seed] of process.argv.slice(2).map(JSON.parse)) {
  console.log(trace(nodes, faults, tricks, BigInt(seed)));
}";

/// Stories with everything in them that counts, waits, compares or is written in numbers.
const STORIES: [(u32, &str, &str, u64); 3] =
    [(9, "none", "", 1), (12, "all", "", 2), (30, "reload,clog", "forge,equivocate", 3)];

#[test]
fn a_story_is_the_same_in_wasm() {
    let module = tests::target_dir().join(MODULE);
    assert!(module.exists(), "{} is missing; `cargo xtask test` makes it", module.display());
    let told = STORIES.map(|story| serde_json::to_string(&story).unwrap());

    let output = Command::new("node").args(["-e", TELL]).arg(module).args(told).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let in_wasm = String::from_utf8(output.stdout).unwrap();
    let here = STORIES
        .map(|(nodes, faults, tricks, seed)| replay::trace(nodes, faults, tricks, seed).unwrap());
    assert_eq!(in_wasm.lines().collect::<Vec<_>>(), here);
}
