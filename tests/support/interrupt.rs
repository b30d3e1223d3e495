//! Sends Ctrl-C to a program that a test has started.

use std::process::{Child, Command};

/// Prepares a command so that its program can be interrupted without this one.
pub(crate) fn prepare(command: &mut Command) {
    system::prepare(command);
}

/// Does what Ctrl-C does, to this program only. It is no error if the program has ended.
pub(crate) fn interrupt(child: &Child) {
    system::interrupt(child.id());
}

#[cfg(unix)]
mod system {
    use std::process::{Command, Stdio};

    pub(super) fn prepare(_: &mut Command) {}

    pub(super) fn interrupt(id: u32) {
        let mut kill = Command::new("kill");
        kill.args(["-INT", &id.to_string()]).stderr(Stdio::null()).status().expect("kill runs");
    }
}

#[cfg(windows)]
#[allow(unsafe_code)]
mod system {
    use std::os::windows::process::CommandExt as _;
    use std::process::Command;
    use std::sync::Once;

    use windows_sys::Win32::System::Console::{AllocConsole, CTRL_BREAK_EVENT, GenerateConsoleCtrlEvent};
    use windows_sys::Win32::System::Threading::CREATE_NEW_PROCESS_GROUP;

    pub(super) fn prepare(command: &mut Command) {
        static CONSOLE: Once = Once::new();
        // SAFETY: takes no arguments. It fails if there is a console already, which is enough.
        CONSOLE.call_once(|| {
            let _ = unsafe { AllocConsole() };
        });
        command.creation_flags(CREATE_NEW_PROCESS_GROUP);
    }

    /// Sends Ctrl-Break, because Ctrl-C would reach every program of the console. The program's handler treats both alike.
    pub(super) fn interrupt(id: u32) {
        // SAFETY: the arguments are two numbers.
        let _ = unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, id) };
    }
}
