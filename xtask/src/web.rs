//! Builds the web app: Rust to wasm, glue beside it, every file named after its content and packed once for ever.
//!
//! ```text
//!   web/app ──cargo──▶ call.wasm ──glue──▶ call.4f…e1.wasm ┐
//!                      conference.wasm     call-glue.….js  ├─▶ target/web/assets/*  raw and .br
//!                      emulator.wasm       call.….js (boot)┘
//!   web/worker ────────▶ worker.wasm        worker-glue.….js
//!   web/pages/*.css, *.svg, *.js ─────────▶ style.….css
//!   web/pages/*.html with {{style.css}} ──▶ target/web/{index,wrapper,conference,…}.html
//!   web/pages/worker.js, likewise ────────▶ target/web/worker.js
//! ```
//!
//! A page names a file by `{{name}}` and gets its address. Beside the files of `web/pages` there are, for each module,
//! `{{call.js}}` (starts it), `{{call-glue.js}}` and `{{call.wasm}}` (to load ahead).

mod assets;
mod glue;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use self::assets::{Assets, brotli, write};
use self::glue::Imports;
use crate::install;
use crate::project::Project;
use crate::shell::Steps;

/// The modules.
const MODULES: [&str; 3] = ["call", "conference", "emulator"];

/// The pages and the module that each one runs. Wrapper and conference, which are always loaded together, share one:
/// most of either is in both.
const PAGES: [(&str, &str); 5] = [
    ("index.html", "call"),
    ("wrapper.html", "conference"),
    ("conference.html", "conference"),
    ("emulator.html", "emulator"),
    ("storage.html", "emulator"),
];

/// The service worker: the crate and its module, and the script that the browser keeps coming back to. A worker is in
/// charge of what lies below its address, so that has to be short, and to stay.
const WORKER: (&str, &str) = ("worker", "worker.js");

/// What others import, under addresses that stay.
const LIBRARY: [&str; 2] = ["store.js", "store.d.ts"];

/// What each page transfers on its first load: files and their packed size in bytes.
pub(crate) type Sizes = BTreeMap<&'static str, BTreeMap<String, usize>>;

/// Builds the whole of it and says how heavy it is.
pub(crate) fn build(project: &Project, steps: &mut Steps) -> Result<Sizes> {
    steps.step("wasm target", install::wasm_target)?;
    steps.step("web app to wasm", || compile(project))?;
    let sizes = steps.step("glue, assets, pages", || assemble(project))?;
    table(&sizes);
    Ok(sizes)
}

/// All modules in one command: alone, each would build the tree below it again with other features.
fn compile(project: &Project) -> Result<()> {
    let (worker, _) = WORKER;
    let bins = MODULES.iter().chain([&worker]).flat_map(|bin| ["--bin", *bin]);
    let base = ["build", "--package", "app", "--package", worker];
    let base = base.into_iter().chain(["--target", install::WASM, "--profile", "wasm"]);
    let flags = format!("target.{}.rustflags={:?}", install::WASM, short_paths());
    // Added to what the project's own configuration says.
    project.cargo(base.chain(bins)).args(["--config", &flags]).run()
}

/// Flags that name files of dependencies without the folder in which this machine keeps them: messages of panics carry
/// those names, and the modules become the same everywhere.
fn short_paths() -> Vec<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let sources = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let folders = sources.into_iter().flatten().flatten().map(|entry| entry.path());
    folders.map(|folder| format!("--remap-path-prefix={}/=", folder.display())).collect()
}

/// The stories of the simulator as a module that Node can load.
pub(crate) fn replay(project: &Project) -> Result<()> {
    const NAME: &str = "replay";
    project.cargo(["build", "--quiet", "--package", NAME, "--target", install::WASM]).run()?;
    let module = project.target.join(install::WASM).join("debug").join(format!("{NAME}.wasm"));
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(NAME).nodejs(true)?.typescript(false);
    bindgen.generate(project.target.join(NAME))
}

fn assemble(project: &Project) -> Result<Sizes> {
    let web = project.web();
    let mut assets = Assets::new(web.join("assets"))?;
    assets.add_files(&project.root.join("web/pages"), &[WORKER.1])?;

    let mut modules = BTreeMap::new();
    for bin in MODULES.into_iter().chain([WORKER.0]) {
        let module = project.target.join(install::WASM).join("wasm").join(format!("{bin}.wasm"));
        let loaded = add_module(&mut assets, bin, &module, &project.target.join("glue").join(bin))?;
        modules.insert(bin, loaded);
    }
    let mut sizes = Sizes::new();
    let worker = (WORKER.1, WORKER.0);
    for (page, bin) in PAGES.into_iter().chain([worker]) {
        let template = project.root.join("web/pages").join(page);
        let text = fs::read_to_string(&template)
            .with_context(|| format!("cannot read {}", project.short(&template)))?;
        let (html, named) = assets.fill(&text, "assets/").with_context(|| format!("in {page}"))?;
        let packed = brotli(html.as_bytes());
        // A page and its boot module name some files twice; they travel once.
        let loaded = if page == WORKER.1 { &named } else { &modules[bin] };
        let files = named.union(loaded).map(|name| (name.clone(), assets.packed(name)));
        sizes.insert(page, files.chain([(page.to_owned(), packed.len())]).collect());
        write(&web.join(page), html.as_bytes())?;
        write(&web.join(format!("{page}.br")), &packed)?;
    }
    for name in LIBRARY {
        let content = fs::read(project.root.join("web/pages").join(name))?;
        write(&web.join(name), &content)?;
        write(&web.join(format!("{name}.br")), &brotli(&content))?;
    }
    assets.sweep()?;
    Ok(sizes)
}

/// Adds a module, its glue and the few lines that start it. Gives the names of what they load.
fn add_module(assets: &mut Assets, bin: &str, module: &Path, work: &Path) -> Result<assets::Names> {
    let glue = make_glue(bin, module, work)?;
    let mut loaded = assets::Names::new();

    let script = fs::read_to_string(work.join(format!("{bin}.js")))?;
    let mut script = glue.imports.shorten(&script)?;
    for snippet in glue.snippets {
        let relative = snippet.strip_prefix(work).context("a snippet lies beside its glue")?;
        let name = relative.to_string_lossy().replace(['/', '\\'], "-");
        assets.add(&name, &fs::read(&snippet)?)?;
        script = script
            .replace(&format!("./{}", relative.display()), &format!("./{}", assets.file(&name)?));
        loaded.insert(name);
    }
    let (wasm, glue, boot) = (format!("{bin}.wasm"), format!("{bin}-glue.js"), format!("{bin}.js"));
    assets.add(&wasm, &fs::read(work.join(format!("{bin}_bg.wasm")))?)?;
    assets.add(&glue, script.as_bytes())?;
    let start = format!(
        "import init from \"./{}\";\ninit({{ module_or_path: new URL(\"./{}\", import.meta.url) }});\n",
        assets.file(&glue)?,
        assets.file(&wasm)?,
    );
    assets.add(&boot, start.as_bytes())?;
    loaded.extend([wasm, glue, boot]);
    Ok(loaded)
}

struct Glue {
    snippets: Vec<PathBuf>,
    imports: Imports,
}

fn make_glue(bin: &str, module: &Path, work: &Path) -> Result<Glue> {
    if work.exists() {
        fs::remove_dir_all(work).with_context(|| format!("cannot clear {}", work.display()))?;
    }
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(bin).web(true)?.typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    let mut output =
        bindgen.generate_output().with_context(|| format!("cannot make glue for {bin}"))?;
    if let Some(import) = output.wasm().imports.iter().find(|import| import.module == "env") {
        bail!(
            "{bin}.wasm wants `{}` from `env`: a dependency expects an operating system",
            import.name
        );
    }
    // For tools that link modules; a browser finds out by itself.
    output.wasm_mut().customs.remove_raw("target_features");
    let mut imports = Imports::default();
    for import in output.wasm_mut().imports.iter_mut() {
        import.name = imports.rename(&import.name);
    }
    output.emit(work)?;

    let mut snippets = Vec::new();
    let mut folders = vec![work.join("snippets")];
    while let Some(folder) = folders.pop().filter(|folder| folder.exists()) {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { snippets.push(path) }
        }
    }
    snippets.sort();
    Ok(Glue { snippets, imports })
}

fn table(sizes: &Sizes) {
    println!("   transferred on first load (brotli)");
    for (page, files) in sizes {
        println!("   {page:<16} {:>8} B", files.values().sum::<usize>());
    }
}
