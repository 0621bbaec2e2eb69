//! Which crate may lean on which. A new arrow is a change of architecture: a line here and one in ARCHITECTURE.md.

use crate::project::Package;

/// Every crate of the workspace and what it may lean on. Shells lean on cores, cores on `wire`, nothing upwards.
const ARROWS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("call", &["wire"]),
    ("mesh", &["wire"]),
    ("tree", &["wire"]),
    ("trust", &["wire"]),
    ("broker", &["wire"]),
    ("node", &["mesh", "tree", "trust", "wire"]),
    ("room", &["node", "trust", "wire"]),
    ("ui", &["room", "node", "call", "trust", "wire"]),
    ("sim", &["wire", "call", "mesh", "tree", "trust", "node", "room", "ui", "broker"]),
    ("server", &["broker", "wire"]),
    ("replay", &["sim"]),
    ("cli", &["server", "sim", "wire"]),
    ("platform", &["wire"]),
    ("worker", &["platform", "ui", "wire"]),
    ("app", &["platform", "ui", "room", "node", "trust", "call", "wire"]),
    // These stand outside: they use what was built, measure it, and build it.
    (
        "tests",
        &[
            "wire", "call", "mesh", "tree", "node", "room", "ui", "broker", "server", "sim",
            "replay",
        ],
    ),
    ("fuzz", &["wire", "call", "mesh", "tree", "trust", "node", "room", "ui", "broker"]),
    (
        "bench",
        &[
            "wire", "call", "mesh", "tree", "trust", "node", "room", "ui", "broker", "server",
            "sim", "tests",
        ],
    ),
    ("xtask", &["wire", "call", "mesh", "tree", "node", "room", "ui", "broker", "server", "sim"]),
];

/// Compares the crates with the table, both ways.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            faults.push(format!("{} has no line in the table of arrows", package.name));
            continue;
        };
        for dependency in package.dependencies.iter().map(|dependency| dependency.name.as_str()) {
            let ours = ARROWS.iter().any(|(name, _)| *name == dependency);
            if ours && !allowed.contains(&dependency) {
                faults.push(format!("{} must not lean on {dependency}", package.name));
            }
        }
    }
    for (name, _) in ARROWS.iter().copied() {
        if !packages.iter().any(|package| package.name == name) {
            faults.push(format!("the table of arrows names {name}, which is gone"));
        }
    }
    faults
}

/// Dependencies are declared once, in the root, with their reason; a crate only says that it wants one.
pub(super) fn check_manifest(crate_name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: &str| {
        faults.push(format!("{crate_name}: `{what}` is not declared in the root, with a reason"));
    };
    // The table of one dependency, until its `workspace = true` is met.
    let mut alone = None;
    let (mut in_dependencies, mut depth) = (false, 0);
    for line in
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if depth == 0 && line.starts_with('[') {
            alone.take().into_iter().for_each(&mut fault);
            in_dependencies = line.ends_with("dependencies]");
            alone = line.contains("dependencies.").then_some(line);
            continue;
        }
        if line == "workspace = true" {
            alone = None;
        } else if in_dependencies && depth == 0 && !line.contains("workspace = true") {
            fault(line);
        }
        depth += line.matches('[').count();
        depth = depth.saturating_sub(line.matches(']').count());
    }
    alone.into_iter().for_each(&mut fault);
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Dependency;

    #[test]
    fn the_house_as_drawn_is_fine() {
        let faults = check(&as_drawn());

        assert_eq!(faults, [""; 0]);
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_named() {
        let mut packages = as_drawn();
        lean(&mut packages, "platform", "call");
        lean(&mut packages, "call", "mesh");

        let faults = check(&packages);

        assert_eq!(faults, ["call must not lean on mesh", "platform must not lean on call"]);
    }

    #[test]
    fn crates_of_others_are_none_of_its_business() {
        let mut packages = as_drawn();
        lean(&mut packages, "wire", "serde");

        assert!(check(&packages).is_empty());
    }

    #[test]
    fn a_new_crate_must_be_drawn_first() {
        let mut packages = as_drawn();
        packages.push(package("attic", &[]));
        packages.retain(|package| package.name != "sim");

        let faults = check(&packages);

        assert_eq!(
            faults,
            [
                "attic has no line in the table of arrows",
                "the table of arrows names sim, which is gone"
            ]
        );
    }

    #[test]
    fn a_dependency_of_ones_own_is_named() {
        let text = "[package]\nname = \"x\"\n[dependencies]\nserde.workspace = true\nweb = { workspace = true, features = [\n  \"A\",\n] }\nrand = \"0.9\"\n";

        let faults = check_manifest("x", text);

        assert_eq!(faults, ["x: `rand = \"0.9\"` is not declared in the root, with a reason"]);
    }

    #[test]
    fn a_table_of_one_dependency_must_point_to_the_root_too() {
        let good = "[dependencies.web]\nworkspace = true\nfeatures = [\n  \"A\",\n]\n";
        let bad = "[dev-dependencies.rand]\nversion = \"0.9\"\n";

        assert_eq!(check_manifest("x", good), [""; 0]);
        assert_eq!(check_manifest("x", bad).len(), 1);
    }

    fn as_drawn() -> Vec<Package> {
        ARROWS.iter().map(|(name, allowed)| package(name, allowed)).collect()
    }

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependencies =
            dependencies.iter().map(|name| Dependency { name: (*name).to_owned() }).collect();
        Package { name: name.to_owned(), manifest_path: "Cargo.toml".into(), dependencies }
    }

    fn lean(packages: &mut [Package], from: &str, to: &str) {
        let package =
            packages.iter_mut().find(|package| package.name == from).expect("it is drawn");
        package.dependencies.push(Dependency { name: to.to_owned() });
    }
}
