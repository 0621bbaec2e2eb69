//! What a page loads: each peer as a small module for browsers, built alike and packed alike.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::findings::{Bar, Findings, Limit, Table, number};
use crate::place::Place;

/// One module: its name, its code, and what it leans on.
struct Module {
    name: &'static str,
    code: &'static str,
    what: &'static str,
    dependencies: fn(&Place) -> String,
}

const MODULES: [Module; 3] = [
    Module {
        name: "empty",
        code: include_str!("../wasm/empty.rs"),
        what: "nothing",
        dependencies: |_| String::new(),
    },
    Module {
        name: "hullo",
        code: include_str!("../wasm/hullo.rs"),
        what: "network, store and all they lean on",
        dependencies: |place| {
            let ours = ["node", "trust", "wire"];
            let ours = ours.map(|name| {
                let path = place.root().join("core").join(name);
                format!("{name} = {{ path = {:?} }}\n", path.display().to_string())
            });
            format!("{}serde_json = \"{}\"\n", ours.concat(), place.number("serde_json"))
        },
    },
    Module {
        name: "yrs",
        code: include_str!("../wasm/yrs.rs"),
        what: "a map and its updates",
        dependencies: |place| format!("yrs = \"={}\"\n", place.number("yrs")),
    },
];

/// As the web app is built.
const PROFILE: &str = "\
[profile.release]\nopt-level = \"z\"\nlto = true\ncodegen-units = 1\npanic = \"abort\"\nstrip = true\n";

/// Numbers in the code as short as they can be: what builds the web app writes them so in any case.
const SHORT: &str = "target.wasm32-unknown-unknown.rustflags=['-Clink-arg=--compress-relocations']";

/// Measures.
pub(crate) fn run(place: &Place) -> Result<Findings> {
    let folder = place.folder("wasm")?;
    for module in &MODULES {
        lay_out(place, &folder.join(module.name), module)?;
    }
    let names = MODULES.map(|module| format!("{:?}", module.name)).join(", ");
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{names}]\n\n{PROFILE}");
    fs::write(folder.join("Cargo.toml"), manifest)?;
    // The versions that everything else here is built with.
    fs::copy(place.root().join("Cargo.lock"), folder.join("Cargo.lock"))?;

    let mut table = Table::new(
        "Modules for browsers, optimised for size and packed with gzip:",
        ["module", "holds", "bytes", "packed bytes"],
    );
    let mut packed = Vec::new();
    for module in &MODULES {
        let bytes = build(&folder, module.name)?;
        let small = bench::pack(&bytes);
        table.row([
            module.name.to_owned(),
            module.what.to_owned(),
            number(bytes.len() as f64),
            number(small as f64),
        ]);
        packed.push(small as f64);
    }
    let [_, ours, yrs] = packed[..] else { unreachable!("there are three modules") };
    let bars = vec![Bar {
        what: "whole core in the browser, packed".to_owned(),
        limit: Limit::AtMost(130_000.0),
        anchor: Some(("yrs alone".to_owned(), yrs)),
        measured: ours,
        unit: "B",
    }];
    let notes = vec!["Built alike, without any optimiser after the compiler's own.".to_owned()];
    Ok(Findings { crates: vec!["yrs"], bars, tables: vec![table], notes, ..Findings::default() })
}

/// Writes the crate of a module.
fn lay_out(place: &Place, folder: &Path, module: &Module) -> Result<()> {
    fs::create_dir_all(folder.join("src"))
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let manifest = format!(
        "[package]\nname = \"bench-{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\nname = \"{}_module\"\ncrate-type = [\"cdylib\"]\n\n[dependencies]\n{}",
        module.name,
        module.name,
        (module.dependencies)(place)
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/lib.rs"), module.code)?;
    Ok(())
}

/// Builds a module alone, so that no other one switches features on.
fn build(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--target", "wasm32-unknown-unknown"])
        .args(["--package", &format!("bench-{name}"), "--target-dir", "target"])
        .args(["--config", SHORT])
        .current_dir(folder)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the module {name} was not built (see above)");
    let file =
        folder.join("target/wasm32-unknown-unknown/release").join(format!("{name}_module.wasm"));
    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}
