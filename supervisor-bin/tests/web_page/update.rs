//! Reread and update: first shown, then applied.

use crate::lab::Lab;

fn program(name: &str, command: &str) -> String {
    format!("[program:{name}]\ncommand={command}\nautostart=false\nstartsecs=0\n")
}

#[test]
fn differences_are_shown_and_what_is_chosen_is_applied() {
    let lab =
        Lab::running(&(program("same", "/bin/cat") + &program("other", "/bin/cat") + &program("gone", "/bin/cat")));
    lab.post("/?action=start&processname=gone", "");
    assert!(lab.post("/update.html", "action=reread").body.contains("No differences"));
    lab.configure(&(program("same", "/bin/cat") + &program("other", "/bin/cat -u") + &program("new", "/bin/cat")));
    let shown = lab.post("/update.html", "action=reread").body;
    for (kind, name) in [("added", "new"), ("changed", "other"), ("removed", "gone")] {
        assert!(shown.contains(&format!("name=\"{kind}\" value=\"{name}\" checked")), "{kind}\n{shown}");
    }
    assert!(shown.contains("<ins>/bin/cat -u</ins>") && !shown.contains("value=\"same\""), "{shown}");
    assert_eq!(lab.shown("gone"), "RUNNING");

    let done = lab.post("/update.html", "action=update&removed=gone&added=new");
    assert_eq!((done.status, done.message().as_str()), (303, "Updated: gone removed, new added"));
    let page = lab.get("/").body;
    assert!(page.contains("data-name=\"new\"") && !page.contains("data-name=\"gone\""), "{page}");
    let rest = lab.post("/update.html", "action=reread").body;
    assert!(rest.contains("value=\"other\"") && !rest.contains("value=\"new\""), "{rest}");
    assert_eq!(lab.post("/update.html", "action=update").message(), "Nothing was chosen, so nothing was changed");
    let failed = lab.post("/update.html", "action=update&added=nope").message();
    assert_eq!(failed, "ERROR: nope: [10] BAD_NAME: nope");
}

#[test]
fn a_file_that_does_not_load_is_told_and_changes_nothing() {
    let lab = Lab::running(&program("same", "/bin/cat"));
    lab.configure("[program:x]\nno_command=1\n");
    let answer = lab.post("/update.html", "action=reread");
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("program:x") && answer.body.contains("ERROR"), "{}", answer.body);
    assert_eq!(lab.shown("same"), "STOPPED");
}
