//! What the walker does at an element besides checking its structure: record numbers, keys, sums, the identity of persons.

use crate::finding::Finding;
use crate::registry::format::{NodeId, Role};
use crate::values::{hash, kopecks, money};

use super::keyset::{Key, key_of};
use super::person_records::PersonRecords;
use super::piece::HeadValue;
use super::plan::{Context, Hooks, Tally};
use super::running::{LocalKeys, LocalSum};
use super::walk::{Frame, Walker};

impl<'p> Walker<'p> {
    pub(super) fn close_scopes(&mut self, hooks: &'p Hooks, frame: &Frame) {
        for index in &hooks.opens_keys {
            self.judge_local_keys(*index);
        }
        for index in &hooks.opens_sums {
            self.judge_local_sum(*index);
        }
        if self.out.findings.len() > frame.findings {
            self.complete_keys(frame.findings);
        }
        match hooks.tally {
            Some(Tally::Service) => self.idserv.clear(),
            Some(Tally::Case) => {
                for text in [&mut self.idcase, &mut self.sl_id] {
                    text.clear();
                }
            }
            Some(Tally::Record) => {
                self.judge_identity();
                if let (Some(rules), Some(_)) = (self.context.rules, frame.block) {
                    self.judge_record(rules, frame);
                }
                if self.out.findings.len() > frame.findings && frame.block.is_some() {
                    self.give_facts(frame.findings);
                }
                if self.context.placing && frame.block.is_some() {
                    self.place_findings();
                }
                if let Some(wanted) = self.context.wanted
                    && let Some(number) = wanted.number(&self.context.encoding.decode(&self.id_pac))
                {
                    let n_zap = self.context.encoding.decode(&self.n_zap);
                    PersonRecords::write(number, &n_zap, self.facts_of_record().as_deref(), &mut self.out.person_records);
                }
                for text in [&mut self.n_zap, &mut self.id_pac, &mut self.idcase, &mut self.sl_id, &mut self.idserv] {
                    text.clear();
                }
            }
            _ if self.context.format.role(Role::Part) == Some(frame.node) => self.sl_id.clear(),
            _ => {}
        }
    }

    /// Marks the sums of a missing addend as broken: comparing them would only repeat that finding.
    pub(super) fn without_addend(&mut self, missing: NodeId) {
        for index in self.hooks(missing).map_or(&[][..], |h| h.addends.as_slice()) {
            if self.context.plan.sums[*index].of_file {
                self.out.sums[*index].broken = true;
            } else {
                self.local_sums[*index].running.broken = true;
            }
        }
    }

    /// Adds the record, case and service numbers to findings that were made before those numbers were read.
    #[cold]
    fn complete_keys(&mut self, from: usize) {
        let keys = self.current_keys();
        for finding in &mut self.out.findings[from..] {
            let own = &mut finding.keys;
            for (slot, value) in [
                (&mut own.n_zap, &keys.n_zap),
                (&mut own.id_pac, &keys.id_pac),
                (&mut own.idcase, &keys.idcase),
                (&mut own.sl_id, &keys.sl_id),
                (&mut own.idserv, &keys.idserv),
            ] {
                if slot.is_none() {
                    slot.clone_from(value);
                }
            }
        }
    }

    fn judge_local_keys(&mut self, index: usize) {
        let LocalKeys { texts, ends } = std::mem::take(&mut self.local_keys[index]);
        if ends.len() > 1 {
            let text = |i: usize| &texts[if i == 0 { 0 } else { ends[i - 1].0 }..ends[i].0];
            let mut order: Vec<usize> = (0..ends.len()).collect();
            order.sort_by_key(|i| (text(*i), *i));
            let mut again: Vec<usize> = order.windows(2).filter(|w| text(w[0]) == text(w[1])).map(|w| w[1]).collect();
            again.sort_unstable();
            let rule = self.context.plan.local_keys[index].rule;
            let node = self.local_key_node(index);
            let context = self.hooks(node).and_then(|h| h.context);
            for i in again {
                let mut finding = Finding { rule, ..self.finding_at(node, ends[i].1, Some(text(i))) };
                // The block that holds the key is already closed; its number is the key itself.
                match context {
                    Some(Context::SlId) => finding.keys.sl_id.clone_from(&finding.value),
                    Some(Context::IdServ) => finding.keys.idserv.clone_from(&finding.value),
                    _ => {}
                }
                self.out.findings.push(finding);
            }
        }
        self.local_keys[index] = LocalKeys { texts, ends };
        self.local_keys[index].clear();
    }

    fn local_key_node(&self, index: usize) -> NodeId {
        let at = self.context.plan.hooks.iter().position(|h| h.as_ref().is_some_and(|h| h.local_keys.contains(&index)));
        NodeId(at.unwrap_or(0) as u16)
    }

    fn judge_local_sum(&mut self, index: usize) {
        let LocalSum { running, total } = std::mem::take(&mut self.local_sums[index]);
        let Some((declared, at)) = total else { return };
        if running.addends == 0 || running.broken || running.kopecks == i128::from(declared) {
            return;
        }
        let sum = &self.context.plan.sums[index];
        let found = i64::try_from(running.kopecks).map_or_else(|_| "∞".to_owned(), money);
        let finding = Finding { rule: sum.rule, found: Some(found.into()), ..self.finding_at(sum.total, at, Some(money(declared).as_bytes())) };
        self.out.findings.push(finding);
    }

    fn judge_identity(&mut self) {
        // Newborns have no name of their own; a person without a surname or first name is not compared.
        if self.identity.len() < 2 || self.identity[0].is_empty() || self.identity[1].is_empty() {
            return;
        }
        let key = self.identity.iter().fold(0, |state, text| hash(state, text)) | 1 << 63;
        self.out.identities.push(Key { key, offset: self.identity_at });
    }

    #[inline]
    pub(super) fn value_hooks(&mut self, node: NodeId, at: usize, text: &[u8], fits: bool) {
        let Some(hooks) = self.hooks(node) else { return };
        self.run_value_hooks(hooks, node, at, text, fits);
    }

    fn run_value_hooks(&mut self, hooks: &'p Hooks, node: NodeId, at: usize, text: &[u8], fits: bool) {
        let place = self.place_of(at);
        if let Some(context) = hooks.context {
            let slot = match context {
                Context::NZap => &mut self.n_zap,
                Context::IdPac => &mut self.id_pac,
                Context::IdCase => &mut self.idcase,
                Context::SlId => &mut self.sl_id,
                Context::IdServ => &mut self.idserv,
            };
            slot.clear();
            slot.extend_from_slice(&text[..text.len().min(64)]);
            if context == Context::IdPac {
                self.identity_at = place.offset;
            }
        }
        if let Some(position) = hooks.identity {
            let slot = &mut self.identity[position];
            slot.clear();
            slot.extend_from_slice(text);
        }
        if let Some(role) = hooks.head
            && self.out.head.iter().all(|h| h.role != role)
        {
            let text = self.context.encoding.decode(text).into_owned();
            self.out.head.push(HeadValue { role, node, text, place });
        }
        if !text.is_empty() {
            for index in &hooks.keys {
                let numeric = self.context.plan.keys[*index].numeric;
                self.out.keys[*index].push(Key { key: key_of(text, numeric), offset: place.offset });
            }
            for index in &hooks.local_keys {
                let keys = &mut self.local_keys[*index];
                keys.texts.extend_from_slice(text);
                keys.ends.push((keys.texts.len(), place));
            }
        }
        let amount = if hooks.addends.is_empty() && hooks.totals.is_empty() && hooks.tally.is_none() { None } else { kopecks(text).filter(|_| fits) };
        if hooks.tally == Some(Tally::CaseSum) {
            self.out.case_sum.add(amount);
        }
        for index in &hooks.addends {
            if self.context.plan.sums[*index].of_file {
                self.out.sums[*index].add(amount);
            } else {
                self.local_sums[*index].running.add(amount);
            }
        }
        for index in &hooks.totals {
            self.local_sums[*index].total = amount.map(|a| (a, place));
        }
    }
}
