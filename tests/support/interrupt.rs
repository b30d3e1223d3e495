//! Ctrl-C for a program that a test has started.
//!
//! On Windows Ctrl-C reaches every program of a console: such tests need a console of their own (`.ci/windows` gives them one) and run one
//! after another.

use std::process::{Child, Command};

/// The command as a user starts it at a terminal: where the tests run in the background of a script, Ctrl-C is ignored, and programs inherit that.
pub(crate) fn at_a_terminal(command: Command) -> Command {
    if !cfg!(target_os = "linux") {
        return command;
    }
    let mut other = Command::new("env");
    other.arg("--default-signal=INT,TERM,HUP").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        other.current_dir(folder);
    }
    other
}

/// Does what Ctrl-C does. It is no error when the program has ended already.
pub(crate) fn interrupt(child: &Child) {
    system::interrupt(child);
}

#[cfg(unix)]
mod system {
    use std::process::{Child, Command, Stdio};

    pub(super) fn interrupt(child: &Child) {
        let mut kill = Command::new("kill");
        kill.args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status().expect("kill runs");
    }
}

#[cfg(windows)]
#[allow(unsafe_code)]
mod system {
    use std::process::Child;

    use windows_sys::Win32::System::Console::{CTRL_C_EVENT, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler};
    use windows_sys::core::BOOL;

    /// The test itself goes on.
    unsafe extern "system" fn heard(_event: u32) -> BOOL {
        1
    }

    pub(super) fn interrupt(_child: &Child) {
        // SAFETY: the handler is a function that lives as long as the program and touches nothing; the other arguments are numbers.
        let sent = unsafe { SetConsoleCtrlHandler(Some(heard), 1) != 0 && GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) != 0 };
        assert!(sent, "Ctrl-C cannot be sent: the tests have no console");
    }
}
