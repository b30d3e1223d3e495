//! A folder with invented packages, in which a test runs the program.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use puomp::registry::encoding::to_windows_1251;

use super::unbroken::unbroken;

/// Personal data of the invented people. The program must not show any of them unasked.
pub(crate) const SECRETS: &[&str] =
    &["Незабудкина", "Аграфена", "Иннокентьевна", "1951-07-23", "4620117", "900-555-176 78", "7755330111", "Жаворонков", "1951-07-2Э"];

/// A clean package of two cases in windows-1251: name, main file, person file.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) stem: String,
    pub(crate) main: String,
    pub(crate) persons: String,
}

impl Package {
    pub(crate) fn new(number: u32) -> Self {
        let stem = format!("HM140001S14002_2103{number}");
        let record = |n: u32, days: (&str, &str), sum: &str| {
            let (from, to) = days;
            format!(
                "<ZAP>\n<N_ZAP>{n}</N_ZAP>\n<PR_NOV>0</PR_NOV>\n<PACIENT>\n<ID_PAC>P-{n}</ID_PAC>\n<VPOLIS>2</VPOLIS>\n<NPOLIS>{n}77553301</NPOLIS>\n<SMO>14002</SMO>\n\
                 <NOVOR>0</NOVOR>\n</PACIENT>\n<Z_SL>\n<IDCASE>{n}</IDCASE>\n<USL_OK>3</USL_OK>\n<VIDPOM>12</VIDPOM>\n<FOR_POM>3</FOR_POM>\n<LPU>140001</LPU>\n\
                 <DATE_Z_1>{from}</DATE_Z_1>\n<DATE_Z_2>{to}</DATE_Z_2>\n<RSLT>301</RSLT>\n<ISHOD>304</ISHOD>\n<SL>\n<SL_ID>{n}-1</SL_ID>\n<PROFIL>97</PROFIL>\n\
                 <DET>0</DET>\n<P_CEL>3.0</P_CEL>\n<NHISTORY>{n}/21</NHISTORY>\n<DATE_1>{from}</DATE_1>\n<DATE_2>{to}</DATE_2>\n<DS1>J06.9</DS1>\n<C_ZAB>1</C_ZAB>\n<PRVS>76</PRVS>\n\
                 <VERS_SPEC>V021</VERS_SPEC>\n<IDDOKT>77553301112</IDDOKT>\n<ED_COL>1.00</ED_COL>\n<TARIF>{sum}</TARIF>\n<SUM_M>{sum}</SUM_M>\n</SL>\n<IDSP>29</IDSP>\n\
                 <SUMV>{sum}</SUMV>\n</Z_SL>\n</ZAP>\n"
            )
        };
        let main = format!(
            "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n<ZL_LIST>\n<ZGLV>\n<VERSION>3.1</VERSION>\n<DATA>2021-04-02</DATA>\n<FILENAME>{stem}</FILENAME>\n<SD_Z>2</SD_Z>\n\
             </ZGLV>\n<SCHET>\n<CODE>1</CODE>\n<CODE_MO>140001</CODE_MO>\n<YEAR>2021</YEAR>\n<MONTH>3</MONTH>\n<NSCHET>17</NSCHET>\n<DSCHET>2021-04-02</DSCHET>\n\
             <PLAT>14002</PLAT>\n<SUMMAV>1204.50</SUMMAV>\n</SCHET>\n{}{}</ZL_LIST>\n",
            record(1, ("2021-03-01", "2021-03-04"), "1000.00"),
            record(2, ("2021-03-10", "2021-03-12"), "204.50"),
        );
        let person = |n: u32, rest: &str| format!("<PERS>\n<ID_PAC>P-{n}</ID_PAC>\n{rest}</PERS>\n");
        let persons = format!(
            "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n<PERS_LIST>\n<ZGLV>\n<VERSION>3.2</VERSION>\n<DATA>2021-04-02</DATA>\n<FILENAME>L{rest}</FILENAME>\n\
             <FILENAME1>{stem}</FILENAME1>\n</ZGLV>\n{}{}</PERS_LIST>\n",
            person(
                1,
                "<FAM>Незабудкина</FAM>\n<IM>Аграфена</IM>\n<OT>Иннокентьевна</OT>\n<W>2</W>\n<DR>1951-07-23</DR>\n<DOCTYPE>14</DOCTYPE>\n<DOCSER>98 04</DOCSER>\n\
                 <DOCNUM>4620117</DOCNUM>\n<DOCDATE>2004-01-09</DOCDATE>\n<DOCORG>УВД</DOCORG>\n<SNILS>900-555-176 78</SNILS>\n"
            ),
            person(
                2,
                "<FAM>Жаворонков</FAM>\n<IM>Пётр</IM>\n<OT>Ильич</OT>\n<W>1</W>\n<DR>1980-02-28</DR>\n<DOCTYPE>14</DOCTYPE>\n<DOCSER>98 05</DOCSER>\n<DOCNUM>462011</DOCNUM>\n<DOCDATE>2005-01-09</DOCDATE>\n<DOCORG>УВД</DOCORG>\n"
            ),
            rest = &stem[1..],
        );
        Self { stem, main, persons }
    }

    /// Replaces a text that stands exactly once in one of the two files.
    pub(crate) fn spoil(mut self, from: &str, to: &str) -> Self {
        let count = self.main.matches(from).count() + self.persons.matches(from).count();
        assert_eq!(count, 1, "«{from}»");
        self.main = self.main.replace(from, to);
        self.persons = self.persons.replace(from, to);
        self
    }

    /// The same for other people and other cases, so that no case is taken for one of another package.
    pub(crate) fn of_others(mut self, number: u32) -> Self {
        for n in 1..=2 {
            self.main = self.main.replace(&format!("<NPOLIS>{n}77553301<"), &format!("<NPOLIS>{n}77553{number:03}<"));
            self.main = self.main.replace(&format!("<SL_ID>{n}-1<"), &format!("<SL_ID>{n}-{number}<"));
            self.main = self.main.replace(&format!("<NHISTORY>{n}/21<"), &format!("<NHISTORY>{n}/21-{number}<"));
        }
        self
    }

    /// The same with another receiver of the file, and without a payer of the account.
    pub(crate) fn to(mut self, receiver: &str) -> Self {
        let stem = self.stem.replace("S14002", receiver);
        for text in [&mut self.main, &mut self.persons] {
            *text = text.replace(&self.stem[1..], &stem[1..]).replace("<PLAT>14002</PLAT>\n", "");
        }
        self.stem = stem;
        self
    }

    /// The same with another insurer of the second patient.
    pub(crate) fn insured(mut self, insurer: &str) -> Self {
        let at = self.main.rfind("<SMO>14002</SMO>\n").expect("an insurer");
        self.main.replace_range(at..at + "<SMO>14002</SMO>\n".len(), insurer);
        self
    }

    pub(crate) fn files(&self) -> [(String, Vec<u8>); 2] {
        let bytes = |text: &str| to_windows_1251(text).expect("windows-1251").into_owned();
        [(format!("{}.xml", self.stem), bytes(&self.main)), (format!("L{}.xml", &self.stem[1..]), bytes(&self.persons))]
    }

    /// Writes the two files side by side.
    pub(crate) fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder");
        for (name, bytes) in self.files() {
            std::fs::write(folder.join(name), bytes).expect("written");
        }
    }

    /// Writes one archive.
    pub(crate) fn zip(&self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder");
        let file = std::fs::File::create(folder.join(format!("{}.zip", self.stem))).expect("a file");
        let mut zip = zip::ZipWriter::new(file);
        for (name, bytes) in self.files() {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("begun");
            zip.write_all(&bytes).expect("written");
        }
        zip.finish().expect("finished");
    }
}

/// A temporary folder to work in.
#[derive(Debug)]
pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command that runs the program with arguments, without the settings of this machine.
    pub(crate) fn puomp(&self, args: &[&str]) -> Command {
        let mut command = Command::new(insta_cmd::get_cargo_bin("puomp"));
        command.current_dir(self.folder.path()).args(args);
        for variable in [
            "LC_ALL",
            "LC_MESSAGES",
            "LC_CTYPE",
            "LANG",
            "PUOMP_LANG",
            "PUOMP_RULES",
            "PUOMP_BOOKS",
            "PUOMP_ROLE",
            "PUOMP_STORE",
            "PUOMP_TIME_ZONE",
            "PUOMP_NSI_URL",
            "PUOMP_MINISTRY_URL",
            "PUOMP_PROXY",
            "PUOMP_CA",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "TERM",
            "COLUMNS",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Exit code, standard output, standard error; lines that were broken for the console are joined.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.puomp(args).output().expect("started");
        (output.status.code().expect("a code"), unbroken(&String::from_utf8_lossy(&output.stdout)), unbroken(&String::from_utf8_lossy(&output.stderr)))
    }
}

/// A package with four errors of three rules, one of them in a person's data.
pub(crate) fn wrong(number: u32) -> Package {
    Package::new(number)
        .spoil("<PROFIL>97</PROFIL>\n<DET>0</DET>\n<P_CEL>3.0</P_CEL>\n<NHISTORY>1/21", "<DET>0</DET>\n<P_CEL>3.0</P_CEL>\n<NHISTORY>1/21")
        .spoil("<DATE_1>2021-03-10", "<DATE_1>2021-02-30")
        .spoil("<DR>1951-07-23</DR>", "<DR>1951-07-2Э</DR>")
        .spoil("<SUMMAV>1204.50", "<SUMMAV>1204.00")
}
