//! Commands about registries, and the answers of payers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use super::{CLINICS, Life, Member, Registry, Version};
use crate::support::sent::{between, decided, main_file, protocol, roubles, write};

impl Life<'_> {
    pub(super) fn form(&mut self, newest: usize) {
        let (mo, month) = self.month(newest);
        let mut of = (mo, self.exports[&(mo, month)].period.clone());
        let ready: BTreeSet<(usize, String)> = self.versions.iter().filter(|v| v.state == "free").map(|v| (v.mo, v.period.clone())).collect();
        if self.chance(85) {
            of = self.pick(&Vec::from_iter(ready)).unwrap_or(of);
        }
        let (mo, period) = of;
        let is_free = |v: &Version| v.mo == mo && v.period == period && v.state == "free";
        let free: Vec<usize> = (0..self.versions.len()).filter(|at| is_free(&self.versions[*at])).collect();
        self.run("form", &["form", "--period", &period, "--mo", CLINICS[mo]], if free.is_empty() { 3 } else { 0 });
        // Which of the new registries a case is in shows the list.
        for at in free {
            self.set(at, "held");
            self.versions[at].registry = "?".to_owned();
        }
    }

    /// Reads what the program wrote for a registry: the numbers of the cases.
    pub(super) fn read_registry(&mut self, number: &str, file: &str) {
        let text = main_file(self.clinic, number);
        let registry = &self.registries[number];
        let of_card: HashMap<&str, usize> = self.of_registry(number, "held").into_iter().map(|at| (self.versions[at].card.as_str(), at)).collect();
        let mut members = Vec::new();
        for piece in text.split("<IDCASE>").skip(1) {
            let version = *of_card.get(between(piece, "NHISTORY")).unwrap_or_else(|| panic!("{number} has a case that it does not hold\n{}", self.story()));
            let doctor = between(piece, "IDDOKT");
            assert_eq!(doctor, self.versions[version].number.to_string(), "{number} has another version\n{}", self.story());
            members.push(Member { version, idcase: piece.split_once('<').expect("a number").0.parse().expect("a number") });
        }
        assert_eq!(members.len(), of_card.len(), "{number} lacks cases\n{}", self.story());
        let total = self.total(&members.iter().map(|member| member.version).collect::<Vec<_>>());
        let mo = registry.mo;
        let (status, file) = ("formed".to_owned(), file.to_owned());
        let (whole, is_refused, accepted) = (BTreeSet::new(), false, (0, 0));
        self.registries.insert(number.to_owned(), Registry { mo, status, members, total, whole, is_refused, accepted, file, text });
    }

    /// A command about a registry.
    pub(super) fn move_one(&mut self) {
        let live: Vec<String> = self.registries.iter().filter(|(_, r)| r.is_live()).map(|(number, _)| number.clone()).collect();
        let open: Vec<String> = live.iter().filter(|number| self.registries[*number].status != "paid").cloned().collect();
        let all: Vec<String> = self.registries.keys().cloned().collect();
        let of = match self.below(20) {
            0 => all,
            1 => live,
            _ => open,
        };
        let Some(number) = self.pick(&of) else { return };
        let status = self.registries[&number].status.clone();
        // Mostly what the status allows.
        let usual: &[&str] = match status.as_str() {
            "formed" => &["submit", "submit", "submit", "again", "cancel"],
            "sent" => &["start", "accept", "return", "withdraw", "passed", "partial", "refused", "decision", "decision"],
            "in_review" => &["accept", "accept", "return", "withdraw", "passed", "partial", "refused", "decision", "decision"],
            "returned" => &["again", "again", "cancel", "passed", "partial"],
            "to_sign" => &["on", "on", "on", "return", "decision"],
            "accepted" => &["pay", "pay", "pay", "return"],
            "paid" => &["unpay"],
            _ => &[],
        };
        let any = ["submit", "again", "cancel", "start", "accept", "return", "withdraw", "passed", "partial", "refused", "decision", "pay", "unpay"];
        let act = if self.chance(8) { self.pick(&any) } else { self.pick(usual) };
        let Some(mut act) = act else { return };
        if ["passed", "partial"].contains(&act) && status == "returned" && !self.registries[&number].whole.is_empty() {
            // A protocol that is repeated does not take back what the one before said of the cases, so there is none here.
            act = "again";
        }
        match act {
            "submit" => self.submit(&number, &status),
            "again" => self.again(&number, &status),
            "cancel" | "withdraw" => {
                let (from, to) = if act == "cancel" { (["formed", "returned"], "cancelled") } else { (["sent", "in_review"], "withdrawn") };
                let is_allowed = from.contains(&status.as_str());
                if is_allowed {
                    self.free_held(&number);
                    self.to(&number, to);
                    self.accept(&number, (0, 0));
                }
                let code = if is_allowed { 0 } else { 4 };
                match act {
                    "cancel" => self.run("form --cancel", &["form", "--cancel", &number], code),
                    _ => self.run("withdraw", &["withdraw", &number, "--reason", "рано"], code),
                };
            }
            "start" | "accept" | "on" | "return" | "pay" | "unpay" => self.review(act, &number, &status),
            _ => self.receive(act, &number, &status),
        }
    }

    /// A registry gets a status; what waited for its cases is settled.
    fn to(&mut self, number: &str, status: &str) {
        let registry = self.registries.get_mut(number).expect("it");
        status.clone_into(&mut registry.status);
        registry.is_refused = false;
        let mo = registry.mo;
        self.settle(mo);
    }

    fn accept(&mut self, number: &str, accepted: (i64, i64)) {
        self.registries.get_mut(number).expect("it").accepted = accepted;
    }

    fn submit(&mut self, number: &str, status: &str) {
        let held = self.of_registry(number, "held");
        if ["sent", "in_review", "to_sign", "accepted", "paid"].contains(&status) {
            // Repeating the command is safe.
            self.run("submit again", &["submit", number], 0);
            return;
        }
        let is_current = held.iter().all(|at| self.waiting_for(*at).is_none());
        let is_allowed = status == "formed" && is_current;
        if is_allowed {
            self.to(number, "sent");
        }
        self.run("submit", &["submit", number], if is_allowed { 0 } else { 4 });
    }

    fn again(&mut self, number: &str, status: &str) {
        let held = self.of_registry(number, "held");
        let whole = self.registries[number].whole.clone();
        let (mut chosen, mut refused, mut corrected) = (Vec::new(), Vec::new(), Vec::new());
        for at in held {
            match self.waiting_for(at) {
                Some(new) => {
                    chosen.push(new);
                    corrected.push((at, new));
                }
                None if whole.contains(&at) => refused.push(at),
                None => chosen.push(at),
            }
        }
        let is_allowed = ["formed", "returned"].contains(&status) && !chosen.is_empty();
        self.run("form --again", &["form", "--again", number], if is_allowed { 0 } else { 4 });
        if !is_allowed {
            return;
        }
        self.refuse(&refused);
        for (old, new) in corrected {
            self.set(old, "free");
            self.versions[old].registry.clear();
            self.replace(old, new);
        }
        for at in chosen {
            self.set(at, "held");
            number.clone_into(&mut self.versions[at].registry);
        }
        self.to(number, "formed");
        let file = self.registry_row(number)["file"].as_str().expect("a name").to_owned();
        self.read_registry(number, &file);
    }

    fn registry_row(&self, number: &str) -> Value {
        let status = self.clinic.status();
        status["registries"].as_array().expect("rows").iter().find(|row| row["number"] == number).expect("the registry").clone()
    }

    /// What a payer takes off the cases that a registry holds, by version.
    fn taken_off(&mut self, number: &str) -> BTreeMap<usize, i64> {
        let (whole, part) = [(0, 0), (20, 20), (40, 10), (90, 0)][self.below(4)];
        let mut off = BTreeMap::new();
        for at in self.of_registry(number, "held") {
            let (sum, drawn) = (self.versions[at].sum, self.below(100));
            if drawn < whole {
                off.insert(at, sum);
            } else if drawn < whole + part {
                off.insert(at, 1 + self.below(sum as usize - 1) as i64);
            }
        }
        off
    }

    /// Notes what was taken off; the versions that were refused whole.
    fn held_against(&mut self, number: &str, off: &BTreeMap<usize, i64>) -> Vec<usize> {
        let whole: Vec<usize> = off.iter().filter(|(at, sum)| **sum == self.versions[**at].sum).map(|(at, _)| *at).collect();
        self.registries.get_mut(number).expect("it").whole.extend(&whole);
        whole
    }

    fn review(&mut self, act: &str, number: &str, status: &str) {
        let (from, to): (&[&str], _) = match act {
            "start" => (&["sent"], "in_review"),
            "accept" => (&["sent", "in_review"], "to_sign"),
            "on" => (&["to_sign"], "accepted"),
            "return" => (&["sent", "in_review", "to_sign", "accepted"], "returned"),
            "pay" => (&["accepted"], "paid"),
            _ => (&["paid"], "accepted"),
        };
        // With the same verb a registry is accepted and then taken on for payment.
        let (act, from, to) = if act == "accept" && status == "to_sign" { ("on", &["to_sign"][..], "accepted") } else { (act, from, to) };
        let mut is_allowed = from.contains(&status);
        let off = if is_allowed && ["accept", "return"].contains(&act) { self.taken_off(number) } else { BTreeMap::new() };
        let mut lines = "idcase,code,sum\n".to_owned();
        for (at, sum) in &off {
            let member = self.registries[number].members.iter().find(|member| member.version == *at).expect("a member");
            let sum = if *sum == self.versions[*at].sum { String::new() } else { roubles(*sum) };
            let _ = writeln!(lines, "{},5.1.4.,{sum}", member.idcase);
        }
        fs::write(self.clinic.path("sanctions.csv"), lines).expect("written");
        let held = self.of_registry(number, "held");
        let whole = off.iter().filter(|(at, sum)| **sum == self.versions[**at].sum).count();
        is_allowed &= act != "accept" || whole < held.len();
        if is_allowed {
            let whole = self.held_against(number, &off);
            match act {
                "accept" => {
                    let (cases, sum) = self.total(&held);
                    self.refuse(&whole);
                    self.accept(number, (cases - whole.len() as i64, sum - off.values().sum::<i64>()));
                }
                "pay" => held.iter().for_each(|at| self.set(*at, "paid")),
                "unpay" => self.of_registry(number, "paid").iter().for_each(|at| self.set(*at, "held")),
                _ => {}
            }
            self.to(number, to);
        }
        let word = if act == "on" { "accept" } else { act };
        let mut args = vec!["review", word, number, "--role", "insurer", "--reason", "решение"];
        if !off.is_empty() {
            args.extend(["--sanctions", "sanctions.csv"]);
        }
        self.run(&format!("review {act}"), &args, if is_allowed { 0 } else { 4 });
    }

    /// An answer of the payer as a file.
    fn receive(&mut self, act: &str, number: &str, status: &str) {
        self.counter += 1;
        let registry = &self.registries[number];
        let (file, text, is_refused) = (registry.file.clone(), registry.text.clone(), registry.is_refused);
        let members = registry.members.clone();
        let held = self.of_registry(number, "held");
        let mut act = act;
        let mut off = BTreeMap::new();
        let answer = match act {
            "passed" => protocol(&file, ""),
            "refused" => protocol(&file, "<PR><OSHIB>904</OSHIB><IM_POL>FILENAME</IM_POL></PR>"),
            "partial" => {
                let share = [30, 60, 100][self.below(3)];
                let mut lines = String::new();
                for member in members.iter().filter(|member| held.contains(&member.version)) {
                    if self.chance(share) {
                        off.insert(member.version, self.versions[member.version].sum);
                        let _ = write!(lines, "<PR><OSHIB>904</OSHIB><BAS_EL>SL</BAS_EL><IDCASE>{}</IDCASE></PR>", member.idcase);
                    }
                }
                act = if lines.is_empty() {
                    "passed"
                } else if off.len() == held.len() {
                    "all"
                } else {
                    act
                };
                protocol(&file, &lines)
            }
            _ => {
                off = self.taken_off(number);
                let of = |n: usize, all: i64| {
                    members.get(n - 1).filter(|member| held.contains(&member.version)).map_or(all, |m| off.get(&m.version).copied().unwrap_or(0))
                };
                let answer = decided(&text, |n, all| (of(n, all), Vec::new())).0;
                let is_all = (1..).zip(&members).all(|(n, member)| {
                    let all = self.versions[member.version].sum;
                    of(n, all) == all
                });
                act = if is_all { "returned" } else { "accepted" };
                answer
            }
        };
        let (from, to): (&[&str], _) = match act {
            "passed" | "partial" => (if is_refused { &["sent", "in_review", "returned"] } else { &["sent", "in_review"] }, "in_review"),
            "refused" | "all" => (&["sent", "in_review"], "returned"),
            "returned" => (&["sent", "in_review", "to_sign", "accepted"], "returned"),
            _ => (&["sent", "in_review"], "to_sign"),
        };
        let is_allowed = from.contains(&status);
        let name = format!("answer-{}.xml", self.counter);
        write(self.clinic, &name, &format!("{answer}<!-- {} -->\n", self.counter));
        if is_allowed {
            if ["passed", "partial"].contains(&act) {
                // The file is taken in after all: what a refusal of it said no longer counts.
                self.registries.get_mut(number).expect("it").whole.clear();
            }
            let has_left = members.len() > held.len();
            let whole = self.held_against(number, &off);
            let (cases, sum) = self.total(&held);
            let left = (cases - whole.len() as i64, sum - off.values().sum::<i64>());
            match act {
                "partial" | "accepted" => {
                    self.refuse(&whole);
                    self.accept(number, left);
                }
                "passed" if has_left => self.accept(number, left),
                "passed" => {}
                _ => self.accept(number, (0, 0)),
            }
            self.to(number, to);
            self.registries.get_mut(number).expect("it").is_refused = ["refused", "all"].contains(&act);
        }
        self.run(&format!("receive {act}"), &["receive", &name], if is_allowed { 0 } else { 4 });
    }
}
