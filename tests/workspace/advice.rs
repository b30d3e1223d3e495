//! What the program advises can be typed as it is printed.

use std::path::Path;
use std::process::Command;

use crate::support::clinic::{Clinic, Said, said};
use crate::support::desk::{Package, wrong};

/// The commands in a text, to the end of the line or of the brackets, without those in which a word in capitals stands for a value.
fn commands(text: &str) -> Vec<String> {
    let command = |line: &str| {
        let from = line.find("puomp ")?;
        let command = line[from..].split(')').next().unwrap_or_default().trim_end_matches(['.', ';', ',']).to_owned();
        let has_gap = command.split(' ').skip(1).any(|word| word.chars().count() > 2 && word.chars().all(|c| c.is_uppercase() && !c.is_ascii()));
        let is_name = command == "puomp " || command.starts_with("puomp:");
        (!has_gap && !is_name).then_some(command)
    };
    text.lines().filter_map(command).collect()
}

/// Types a command in a shell.
fn type_in(clinic: &Clinic, command: &str) -> Said {
    let program = Path::new(env!("CARGO_BIN_EXE_puomp"));
    let model = clinic.command(&[]);
    let mut shell = Command::new("sh");
    shell.current_dir(clinic.root()).arg("-c").arg(command.replacen("puomp", &format!("'{}'", program.display()), 1));
    for (name, value) in model.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    said(&shell.output().expect("a shell"))
}

#[test]
fn what_is_advised_can_be_typed() {
    let clinic = Clinic::new();
    let folder = "моя выгрузка/it's $HOME & co";
    wrong(1).write(&clinic.path(folder));
    Package::new(2).of_others(2).write(&clinic.path(folder));
    // The same visits of the same people under other ids: a question.
    let twin = Package::new(3).of_others(2);
    let twin = Package { main: twin.main.replace("<SL_ID>1-2<", "<SL_ID>1-9<").replace("<SL_ID>2-2<", "<SL_ID>2-9<"), ..twin };
    let twin = Package { main: twin.main.replace("HM140001S14002_21032", "HM140001S14002_21033"), ..twin };
    twin.write(&clinic.path(folder));
    std::fs::write(clinic.path(folder).join("HM140001S14002_21034.zip"), "PK\u{3}\u{4}").expect("written");
    let loaded = clinic.run(&["load", folder]);
    let advised = commands(&loaded.out);
    assert!(advised.iter().filter(|command| command.starts_with("puomp validate ")).count() >= 2, "{}", loaded.out);
    for command in &advised {
        let said = type_in(&clinic, command);
        let due: &[i32] = if command.contains("21034") { &[6] } else { &[0, 1] };
        assert!(due.contains(&said.code), "{command}: {said:?}");
    }
    let formed = clinic.run(&["form", "--period", "2021-03"]);
    let next = commands(&formed.err);
    assert!(next.iter().any(|command| command.starts_with("puomp submit 2103-1")), "{formed:?}");
    for command in &next {
        let said = type_in(&clinic, command);
        assert!([0, 1].contains(&said.code), "{command}: {said:?}");
    }
    // Sent already: it says where to look.
    let again = clinic.run(&["submit", "2103-1"]);
    let look = commands(&again.err);
    assert_eq!(look, ["puomp status 2103-1"], "{again:?}");
    let status = type_in(&clinic, &look[0]);
    assert_eq!(status.code, 0, "{status:?}");
    // What may be done next, in the role that the workflow names, with a reason where one is due.
    let returned = clinic.done(&["review", "return", "2103-1", "--reason", "тариф", "--role", "insurer"]);
    assert!(returned.contains("2103-1"));
    let refused = clinic.refused(&["submit", "2103-1"], 4);
    let again = commands(&refused).into_iter().find(|command| command.starts_with("puomp form --again")).expect("what to do");
    let command = again.split(';').next().expect("a command");
    assert_eq!(type_in(&clinic, command).code, 0, "{command}");
}
