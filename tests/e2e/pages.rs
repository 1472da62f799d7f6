//! Pages that the program writes, looked at in a real browser.
//! Run by name, as `.ci/run` does: `cargo test --test e2e pages -- --ignored`.

use std::path::Path;
use std::process::Command;

use crate::support::{run_to, store_with};

/// Runs the browser on a page and gives what it printed: its DOM on standard output, its log on the other.
fn browse(browser: &str, folder: &Path, page: &Path, more: &[String]) -> (String, String) {
    let done = Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ])
        .args(["--enable-logging=stderr", "--v=0", "--window-size=1200,1600"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(more)
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(done.stdout), text(done.stderr))
}

#[test]
#[ignore = "installs Chromium from Debian's packages"]
fn the_post_mortem_is_drawn_by_a_browser_without_a_complaint() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Command::new(root.join("tests/chromium.sh")).output().expect("a shell");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let browser = String::from_utf8(made.stdout).expect("UTF-8").trim().to_owned();

    let (folder, store) = store_with(2_000);
    let began = ["--feature", "customer_support", "--began", "1185m", "--severity", "SEV2"];
    run_to(
        0,
        &store,
        &[&["incident", "open", "<script>alert(1)</script> | bad & worse"], &began[..]].concat(),
    );
    run_to(0, &store, &["incident", "step", "1", "acknowledge", "done"]);
    run_to(0, &store, &["incident", "figures", "1", "--keep"]);
    let page = folder.path().join("inc-1.html");
    run_to(0, &store, &["incident", "postmortem", "1", "--out", page.to_str().expect("UTF-8")]);
    let written = std::fs::read_to_string(&page).expect("written");
    assert!(!written.contains("<script"), "a page of ours has no script");

    let picture = folder.path().join("page.png");
    let (dom, log) = browse(&browser, folder.path(), &page, &["--dump-dom".to_owned()]);
    let charts = dom.matches("<svg").count();
    let drawn = dom.matches("<rect").count() + dom.matches("<polyline").count();
    assert!(charts >= 3 && drawn >= 10, "{charts} charts with {drawn} shapes");
    for word in ["Before it and while it lasted", "Failed requests", "What people said", "began", "noticed"] {
        assert!(dom.contains(word), "{word}");
    }
    browse(&browser, folder.path(), &page, &[format!("--screenshot={}", picture.display())]);
    assert!(std::fs::metadata(&picture).expect("a picture").len() > 20_000, "the picture is empty");
    if let Some(kept) = std::env::var_os("TUESDAY_PICTURE") {
        std::fs::copy(&picture, kept).expect("copied");
    }
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}
