use super::*;
use crate::command::{Key, table::app};

fn environment(folder: &Path, variables: &[(&'static str, &str)]) -> Environment {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Environment {
        folder: folder.to_owned(),
        variable: Box::new(move |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        }),
    }
}

fn with_file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(folder.path().join(FILE), text).unwrap();
    (folder, inner)
}

#[test]
fn the_nearest_to_the_moment_wins() {
    let (folder, inner) = with_file("store = 'data/t.db'\nreviewer = 'file'\n");
    let plain = environment(&inner, &[("USER", "login")]);
    let config = Config::resolve(&Flags::default(), &plain).unwrap();
    assert_eq!(config.store, Set::new(folder.path().join("data/t.db"), Origin::File { line: 1 }));
    assert_eq!(config.reviewer, Set::new("file".to_owned(), Origin::File { line: 2 }));
    assert_eq!(config.evals_dir.value, folder.path().join("evals"));
    let set = environment(&inner, &[("TUESDAY_REVIEWER", "env"), ("TUESDAY_STORE", "e.db")]);
    let config = Config::resolve(&Flags::default(), &set).unwrap();
    assert_eq!(config.reviewer, Set::new("env".to_owned(), Origin::Environment("TUESDAY_REVIEWER")));
    assert_eq!(config.store.value, PathBuf::from("e.db"));
    let flags = Flags { reviewer: Some("flag".into()), store: Some("f.db".into()), config: None };
    let config = Config::resolve(&flags, &set).unwrap();
    assert_eq!((config.reviewer.from, config.store.from), (Origin::Flag, Origin::Flag));
}

#[test]
fn without_a_file_the_store_is_here_or_with_the_persons_data() {
    let folder = tempfile::tempdir().unwrap();
    let at = environment(folder.path(), &[("XDG_DATA_HOME", "/data"), ("USER", "ann")]);
    let config = Config::resolve(&Flags::default(), &at).unwrap();
    assert_eq!(config.store.value, PathBuf::from("/data/tuesday/tuesday.db"));
    assert_eq!(config.reviewer, Set::new("ann".to_owned(), Origin::Environment("USER")));
    std::fs::write(folder.path().join("tuesday.db"), "").unwrap();
    let config = Config::resolve(&Flags::default(), &at).unwrap();
    assert_eq!(config.store.value, folder.path().join("tuesday.db"));
}

#[test]
fn what_cannot_be_is_named_by_line_and_column_with_the_nearest_name() {
    for (text, what, hint) in [
        ("reviwer = 'x'", "c.toml:1:1: there is no key `reviwer`.", "`reviewer`"),
        ("\n  theme = 'drak'", "c.toml:2:11: there is no theme `drak`.", "`dark`"),
        ("store = 3", "c.toml:1:9: a text belongs here, not a whole number.", ""),
        ("store = ''", "c.toml:1:9: this must not be empty.", ""),
        ("[keys]\nquitt = 'Q'", "c.toml:2:1: there is no command `quitt`.", "`quit`"),
        ("[keys]\nquit = 'ctlr-q'", "c.toml:2:8: `ctlr-q` is not a key.", "ctrl-p"),
        ("[keys]\nquit = 'j'", "c.toml:2:1: The keys", "another key"),
        ("[colors]\nfial = 'red'", "c.toml:2:1: there is no meaning `fial`.", "`fail`"),
        ("[colors]\nfail = 'rde'", "c.toml:2:8: `rde` is not a colour.", "`red`"),
        ("store = 'a'\nstore = 'b'", "c.toml:2:1: ", ""),
        ("store = ", "c.toml:1:", ""),
        ("[compare]\nmin_pas_rate = 0.9", "c.toml:2:1: there is no key `min_pas_rate`.", "`min_pass_rate`"),
        (
            "[compare]\nmin_pass_rate = 90",
            "c.toml:2:17: a share from 0 to 1, as in 0.9, belongs here, not 90.",
            "",
        ),
        ("[compare]\nmax_p95_ms = '3s'", "c.toml:2:14: a number from 0 up belongs here, not a text.", ""),
        ("[compare]\nmin_cases = 1.5", "c.toml:2:13: a whole number from 1 up belongs here, not 1.5.", ""),
        ("[compare]\nneed = 'prooven'", "c.toml:2:8: there is no need `prooven`.", "`proven`"),
    ] {
        let error = file::parse("c.toml", text).err().unwrap_or_else(|| panic!("{text:?} was taken"));
        assert_eq!(error.kind, crate::domain::ErrorKind::Usage);
        assert!(error.what.starts_with(what), "{text:?}: {}", error.what);
        assert!(error.hints.join(" ").contains(hint), "{text:?}: {:?}", error.hints);
    }
}

#[test]
fn keys_and_colours_are_taken() {
    let text = "[keys]\nquit = ['Q', 'ctrl-q']\n\"go.review\" = 'g v'\ngo.evals = []\n[colors]\npass = '#00ff00'\nfail = 9\n";
    let config = file::parse("c.toml", text).unwrap();
    let quit: Vec<_> = config.keymap.keys_of(app::QUIT).collect();
    assert_eq!(quit, [&[Key::char('Q')][..], &[Key::ctrl('q')][..]]);
    assert_eq!(config.keymap.key_text(app::GO_REVIEW).as_deref(), Some("g v"));
    assert_eq!(config.keymap.key_text(app::GO_EVALS), None);
    assert!(config.colours.contains(&(Role::Pass, Colour::Rgb(0, 255, 0))));
    assert!(config.colours.contains(&(Role::Fail, Colour::Indexed(9))));
}

#[test]
fn an_editors_command_is_split_without_a_shell() {
    assert_eq!(split("code --wait"), ["code", "--wait"]);
    assert_eq!(split("'/opt/my editor/ed' -x \"a b\""), ["/opt/my editor/ed", "-x", "a b"]);
    assert_eq!(split("vi; rm -rf ~"), ["vi;", "rm", "-rf", "~"]);
}

#[test]
fn programs_and_prompts_are_found_from_the_files_folder() {
    use crate::domain::TargetKind;
    let (folder, inner) = with_file(
        "prompts_dir = 'our/prompts'\njudge = 'b'\ngates_dir = 'our/gates'\n[targets.a]\nkind = 'command'\n\
         command = ['./answer.py', './x']\n\
         [targets.b]\nkind = 'command'\ncommand = ['cat']\n",
    );
    let resolved = Config::resolve(&Flags::default(), &environment(&inner, &[])).unwrap();
    // `tuesday doctor` says both, and where they stand.
    let prompts = folder.path().join("our/prompts").display().to_string();
    let lines = resolved.lines();
    assert!(lines.contains(&("prompts_dir", prompts, Origin::File { line: 1 })), "{lines:?}");
    assert!(lines.contains(&("judge", "b".to_owned(), Origin::File { line: 2 })), "{lines:?}");
    let config = resolved.evaluation;
    assert_eq!(config.home, folder.path());
    assert_eq!(config.prompts_dir, folder.path().join("our/prompts"));
    assert_eq!(config.gates_dir, folder.path().join("our/gates"));
    let program = folder.path().join("./answer.py").display().to_string();
    assert_eq!(config.targets[0].kind, TargetKind::Command(vec![program, "./x".into()]));
    assert_eq!(config.targets[1].kind, TargetKind::Command(vec!["cat".into()]));
    let without = Config::resolve(&Flags::default(), &environment(Path::new("/"), &[])).unwrap();
    assert_eq!(without.evaluation.prompts_dir, PathBuf::from("/prompts"));
    assert!(without.lines().contains(&("judge", "none".to_owned(), Origin::Default)));
    assert_eq!(without.evaluation.gates_dir, PathBuf::from("/gates"));
}

#[test]
fn the_examples_in_the_file_that_init_writes_are_right() {
    let text = include_str!("../../fixtures/tuesday.toml");
    let from = text.find("# Targets are what").unwrap();
    let examples: String = text[from..]
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.starts_with('[') || line.contains(" = "))
        .map(|line| format!("{line}\n"))
        .collect();
    let config = file::parse("c.toml", &examples).unwrap().evaluation;
    assert_eq!((config.targets.len(), config.prices.len()), (5, 1));
}

#[test]
fn thresholds_are_taken_and_the_rest_keeps_its_default() {
    use crate::ops::compare::{Need, Thresholds};
    let text = "[compare]\nmin_pass_rate = 1\nmax_cost_usd = 0.05\nmax_p95_ms = inf\nmin_cases = 1_000\nneed = 'proven'\n";
    let wanted = Thresholds {
        min_pass_rate: 1.0,
        max_cost_usd: Some(0.05),
        max_p95_ms: f64::INFINITY,
        min_cases: 1000,
        need: Need::Proven,
        ..Thresholds::default()
    };
    assert_eq!(file::parse("c.toml", text).unwrap().thresholds, wanted);
    assert_eq!(file::parse("c.toml", "").unwrap().thresholds, Thresholds::default());
}
