//! Walks the elements of a piece of a file and says what does not fit the format: structure, values, and what relations need later.

use std::sync::Arc;

use crate::finding::{Check, FileRole, Finding, Keys, Place, RuleIx};
use crate::registry::encoding::Encoding;
use crate::registry::fault::Fault;
use crate::registry::format::value::{kopecks, money};
use crate::registry::format::{Content, Format, NodeId, Role};
use crate::registry::scan::{Name, ScanLimits, Scanner, Token, forbidden_byte};

use super::keyset::{Key, hash, key_of};
use super::plan::{Context, Hooks, Plan, Tally};

/// What stays the same for all pieces of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileContext<'p> {
    pub(super) format: &'p Format,
    pub(super) plan: &'p Plan,
    pub(super) file: FileRole,
    pub(super) encoding: Encoding,
    pub(super) limits: ScanLimits,
}

/// A value of the header or the account, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeadValue {
    pub(super) role: Role,
    pub(super) node: NodeId,
    pub(super) text: String,
    pub(super) place: Place,
}

/// A running sum in kopecks; `broken` when an addend could not be read, so that a comparison would only repeat that finding.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Running {
    pub(super) kopecks: i128,
    pub(super) addends: u64,
    pub(super) broken: bool,
}

/// What one piece came to.
#[derive(Debug, Default)]
pub(super) struct PieceOutcome {
    pub(super) findings: Vec<Finding>,
    pub(super) head: Vec<HeadValue>,
    pub(super) keys: Vec<Vec<Key>>,
    /// Identities of persons.
    pub(super) identities: Vec<Key>,
    pub(super) sums: Vec<Running>,
    pub(super) counts: Vec<u64>,
    pub(super) records: u64,
    pub(super) cases: u64,
    pub(super) services: u64,
    pub(super) case_sum: Running,
    /// Children of the root that were seen, by position.
    pub(super) root_seen: u64,
    pub(super) root_place: Option<Place>,
    pub(super) lines: u32,
    /// Characters after the last line break.
    pub(super) tail: u32,
    pub(super) fault: Option<Fault>,
    /// Place of the fault.
    pub(super) fault_place: Option<Place>,
    /// The piece does not end between two records as a child of the root.
    pub(super) ends_inside: bool,
}

#[derive(Debug)]
struct Frame {
    node: NodeId,
    at: u64,
    seen: u64,
    last: usize,
    findings: usize,
    text_reported: bool,
}

#[derive(Debug, Default)]
struct LocalSum {
    running: Running,
    total: Option<(i64, u64)>,
}

#[derive(Debug, Default)]
struct LocalKeys {
    texts: Vec<u8>,
    /// End of each text in `texts` and offset of its element.
    ends: Vec<(usize, u64)>,
}

/// The state of a walk; it may be carried from one piece to the next.
#[derive(Debug)]
pub(super) struct Walker<'p> {
    context: FileContext<'p>,
    frames: Vec<Frame>,
    open: Vec<Vec<u8>>,
    skip: usize,
    n_zap: Vec<u8>,
    id_pac: Vec<u8>,
    idcase: Vec<u8>,
    sl_id: Vec<u8>,
    idserv: Vec<u8>,
    local_sums: Vec<LocalSum>,
    local_keys: Vec<LocalKeys>,
    identity: Vec<Vec<u8>>,
    out: PieceOutcome,
    base: u64,
    /// Offsets of elements that a relation found wrong after the whole file was read: meeting them again gives the finding its record.
    marks: Vec<Mark>,
}

/// What a relation found wrong at an element: its offset in the file and the rule.
pub(super) type Mark = (u64, RuleIx);

impl<'p> Walker<'p> {
    /// A walker at the head of a file.
    pub(super) fn at_head(context: FileContext<'p>) -> Self {
        let plan = context.plan;
        Self {
            context,
            frames: Vec::with_capacity(16),
            open: Vec::new(),
            skip: 0,
            n_zap: Vec::new(),
            id_pac: Vec::new(),
            idcase: Vec::new(),
            sl_id: Vec::new(),
            idserv: Vec::new(),
            local_sums: plan.sums.iter().map(|_| LocalSum::default()).collect(),
            local_keys: plan.local_keys.iter().map(|_| LocalKeys::default()).collect(),
            identity: vec![Vec::new(); plan.same_person.map_or(0, |(_, n)| n)],
            out: PieceOutcome::default(),
            base: 0,
            marks: Vec::new(),
        }
    }

    /// A walker between two records: the root is open, its head is behind.
    pub(super) fn between_records(context: FileContext<'p>) -> Self {
        let mut walker = Self::at_head(context);
        let format = context.format;
        let last = usize::from(format.node(context.plan.record).position);
        walker.open = vec![format.node(format.root()).name.as_bytes().to_vec()];
        walker.frames.push(Frame { node: format.root(), at: 0, seen: 0, last, findings: 0, text_reported: false });
        walker
    }

    /// Also reports these marks, sorted by offset.
    pub(super) fn with_marks(mut self, marks: &[Mark]) -> Self {
        self.marks = marks.to_vec();
        self
    }

    #[cold]
    fn report_marks(&mut self, node: NodeId, at: usize, value: Option<&[u8]>) {
        let offset = self.base + at as u64;
        for i in self.marks.partition_point(|m| m.0 < offset)..self.marks.len() {
            let (at, rule) = self.marks[i];
            if at != offset {
                break;
            }
            let finding = Finding { rule, ..self.finding_at(node, offset, value) };
            self.out.findings.push(finding);
        }
    }

    /// Walks one piece that starts at an offset of the file. The last piece must close the root.
    pub(super) fn piece(&mut self, bytes: &[u8], base: u64, last: bool) -> PieceOutcome {
        let plan = self.context.plan;
        self.base = base;
        self.out = PieceOutcome {
            keys: plan.keys.iter().map(|_| Vec::new()).collect(),
            sums: vec![Running::default(); plan.sums.len()],
            counts: vec![0; plan.counts.len()],
            ..PieceOutcome::default()
        };
        for frame in &mut self.frames {
            frame.findings = 0;
        }
        let mut scanner = Scanner::new(bytes, self.context.encoding, self.context.limits, std::mem::take(&mut self.open));
        let mut fault = self.walk(&mut scanner).err();
        if fault.is_none() && last && !scanner.root_closed() {
            let open = scanner.open_names().last().map_or_else(String::new, |n| String::from_utf8_lossy(n).into_owned());
            fault = Some(Fault::new(Check::XmlTruncated).at(bytes.len() as u64).expected(open));
        }
        self.open = scanner.open_names();
        self.out.ends_inside = !last && (self.frames.len() != 1 || self.skip > 0);
        if let Some(root) = self.frames.first() {
            self.out.root_seen |= root.seen;
        }
        let mut out = std::mem::take(&mut self.out);
        out.fault = fault.map(|f| Fault { offset: f.offset.map(|o| o + base), ..f });
        out.fault_place = out.fault.as_ref().and_then(|f| f.offset).map(|offset| Place { offset, line: 0, column: 0 });
        resolve_places(&mut out, bytes, base, self.context.encoding);
        out
    }

    fn walk(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        loop {
            match scanner.next_token()? {
                Token::Leaf { at, name, text_at, text, attribute } => {
                    if self.skip == 0 {
                        self.leaf(at, name, text_at, &text, attribute)?;
                    }
                }
                Token::Open { at, name, attribute } => {
                    if self.skip > 0 {
                        self.skip += 1;
                    } else {
                        self.open_element(at, name, attribute)?;
                    }
                }
                Token::Close { .. } => {
                    if self.skip > 0 {
                        self.skip -= 1;
                    } else {
                        self.close();
                    }
                }
                Token::Text { at, .. } => {
                    if self.skip == 0
                        && let Some(frame) = self.frames.last_mut()
                        && !std::mem::replace(&mut frame.text_reported, true)
                    {
                        let node = frame.node;
                        self.report(Check::TextInBlock, node, at, None);
                    }
                }
                Token::End => return Ok(()),
            }
        }
    }

    /// Finds an element among the children of the open block and checks that it may stand here; none when it may not (already reported).
    #[inline]
    fn place(&mut self, at: usize, name: Name<'_>) -> Result<Option<NodeId>, Fault> {
        let Some(frame) = self.frames.last_mut() else { return self.root(at, name).map(Some) };
        let children = &self.context.plan.children[usize::from(frame.node.0)];
        let found = name.key.and_then(|key| {
            // Elements come in order: look from the last one on, then from the beginning.
            children[frame.last..].iter().position(|c| c.0 == key).map(|i| i + frame.last).or_else(|| children[..frame.last].iter().position(|c| c.0 == key))
        });
        let Some(position) = found else {
            self.stranger(at, name);
            return Ok(None);
        };
        let node = children[position].1;
        let bit = 1u64 << position;
        if frame.seen & bit != 0 && self.context.format.node(frame.node).repeatable & bit == 0 {
            self.report(Check::Repeated, node, at, None);
        } else if position < frame.last {
            let before = children[frame.last].1;
            let found = self.context.format.node(before).name.to_string();
            self.report_with(Check::Order, node, at, None, None, Some(found));
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.seen |= bit;
            frame.last = frame.last.max(position);
        }
        Ok(Some(node))
    }

    #[cold]
    fn root(&mut self, at: usize, name: Name<'_>) -> Result<NodeId, Fault> {
        let root = self.context.format.node(self.context.format.root());
        if name.key != Some(root.key) {
            return Err(Fault::new(Check::WrongRoot).at(at as u64).expected(&root.name).found(name.to_text()));
        }
        self.out.root_place = Some(Place { offset: self.base + at as u64, line: 0, column: 0 });
        Ok(self.context.format.root())
    }

    #[cold]
    fn stranger(&mut self, at: usize, name: Name<'_>) {
        let (format, plan) = (self.context.format, self.context.plan);
        let text = name.to_text();
        let parent = self.frames.last().map_or_else(|| Arc::from(""), |f| Arc::clone(&format.node(f.node).path));
        let path: Arc<str> = format!("{parent}/{text}").into();
        let (check, expected) = match plan.places.get(text.as_str()) {
            Some(place) => (Check::Misplaced, format.node(*place).path.to_string()),
            None => (Check::Unknown, format!("{} {}", format.family, format.edition.id)),
        };
        let finding = Finding { path, expected: Some(expected.into()), ..self.finding(check, format.root(), at) };
        self.out.findings.push(finding);
    }

    #[inline]
    fn leaf(&mut self, at: usize, name: Name<'_>, text_at: usize, text: &[u8], attribute: Option<&[u8]>) -> Result<(), Fault> {
        let Some(node) = self.place(at, name)? else {
            return check_characters(text, text_at);
        };
        if attribute.is_some() {
            self.attribute(node, at, attribute);
        }
        if !self.marks.is_empty() {
            self.report_marks(node, at, Some(text));
        }
        let format = self.context.format;
        match &format.node(node).content {
            Content::Value(kind) => {
                if text.is_empty() {
                    self.report(Check::Empty, node, at, None);
                    self.value_hooks(node, at, text, false);
                    return Ok(());
                }
                let fits = kind.fits(text, self.context.encoding);
                if !fits {
                    check_characters(text, text_at)?;
                    self.misfit(node, at, text);
                }
                self.value_hooks(node, at, text, fits);
            }
            Content::Block => {
                self.enter(node, at);
                if !text.iter().all(u8::is_ascii_whitespace) {
                    check_characters(text, text_at)?;
                    self.report(Check::TextInBlock, node, text_at, None);
                }
                self.close();
            }
        }
        Ok(())
    }

    #[cold]
    fn misfit(&mut self, node: NodeId, at: usize, text: &[u8]) {
        let format = self.context.format;
        if let Some(fault) = format.node(node).value_type().and_then(|kind| kind.diagnose(text, self.context.encoding)) {
            self.report_with(fault.check, node, at, Some(text), fault.expected, fault.found);
        }
    }

    fn open_element(&mut self, at: usize, name: Name<'_>, attribute: Option<&[u8]>) -> Result<(), Fault> {
        let Some(node) = self.place(at, name)? else {
            self.skip = 1;
            return Ok(());
        };
        if attribute.is_some() {
            self.attribute(node, at, attribute);
        }
        if !self.marks.is_empty() {
            self.report_marks(node, at, None);
        }
        match self.context.format.node(node).content {
            Content::Block => self.enter(node, at),
            Content::Value(_) => {
                self.report(Check::BlockInText, node, at, None);
                self.skip = 1;
            }
        }
        Ok(())
    }

    #[cold]
    fn attribute(&mut self, node: NodeId, at: usize, attribute: Option<&[u8]>) {
        let Some(name) = attribute else { return };
        let namespace = name.starts_with(b"xmlns") || name.starts_with(b"xsi:");
        let check = if namespace && self.frames.is_empty() { Check::Namespace } else { Check::Attribute };
        self.report_with(check, node, at, None, None, Some(String::from_utf8_lossy(name).into_owned()));
    }

    fn hooks(&self, node: NodeId) -> Option<&'p Hooks> {
        self.context.plan.hooks[usize::from(node.0)].as_deref()
    }

    fn enter(&mut self, node: NodeId, at: usize) {
        self.frames.push(Frame { node, at: self.base + at as u64, seen: 0, last: 0, findings: self.out.findings.len(), text_reported: false });
        let Some(hooks) = self.hooks(node) else { return };
        match hooks.tally {
            Some(Tally::Record) => {
                self.out.records += 1;
                for text in [&mut self.n_zap, &mut self.id_pac, &mut self.idcase, &mut self.sl_id, &mut self.idserv].into_iter().chain(&mut self.identity) {
                    text.clear();
                }
            }
            Some(Tally::Case) => {
                self.out.cases += 1;
                for text in [&mut self.idcase, &mut self.sl_id, &mut self.idserv] {
                    text.clear();
                }
            }
            Some(Tally::Service) => {
                self.out.services += 1;
                self.idserv.clear();
            }
            _ => {}
        }
        for index in &hooks.counts {
            self.out.counts[*index] += 1;
        }
        for index in &hooks.opens_keys {
            self.local_keys[*index] = LocalKeys { texts: clear(&mut self.local_keys[*index].texts), ends: clear(&mut self.local_keys[*index].ends) };
        }
        for index in &hooks.opens_sums {
            self.local_sums[*index] = LocalSum::default();
        }
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let format = self.context.format;
        let node = format.node(frame.node);
        if self.frames.is_empty() {
            // The pieces before have seen other children of the root: the file's end judges them.
            self.out.root_seen |= frame.seen;
            return;
        }
        let mut missing = node.required & !frame.seen;
        while missing != 0 {
            let child = node.children[missing.trailing_zeros() as usize];
            missing &= missing - 1;
            let finding = Finding { place: Place { offset: frame.at, line: 0, column: 0 }, ..self.finding(Check::Missing, child, 0) };
            self.out.findings.push(finding);
        }
        if let Some(hooks) = self.hooks(frame.node) {
            self.close_scopes(hooks, &frame);
        }
    }

    fn close_scopes(&mut self, hooks: &'p Hooks, frame: &Frame) {
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
            Some(Tally::Record) => self.judge_identity(frame.at),
            _ if self.context.format.role(Role::Part) == Some(frame.node) => self.sl_id.clear(),
            _ => {}
        }
    }

    /// Findings of a block that stand before its number get the number too.
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
            for i in again {
                let finding = Finding { rule, ..self.finding_at(node, ends[i].1, Some(text(i))) };
                self.out.findings.push(finding);
            }
        }
        self.local_keys[index] = LocalKeys { texts, ends };
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

    fn judge_identity(&mut self, at: u64) {
        // Newborns have no name of their own: without surname and name there is nobody to compare.
        if self.identity.len() < 2 || self.identity[0].is_empty() || self.identity[1].is_empty() {
            return;
        }
        let key = self.identity.iter().fold(0, |state, text| hash(state, text)) | 1 << 63;
        self.out.identities.push(Key { key, offset: at });
    }

    #[inline]
    fn value_hooks(&mut self, node: NodeId, at: usize, text: &[u8], fits: bool) {
        let Some(hooks) = self.hooks(node) else { return };
        self.run_value_hooks(hooks, node, at, text, fits);
    }

    fn run_value_hooks(&mut self, hooks: &'p Hooks, node: NodeId, at: usize, text: &[u8], fits: bool) {
        let offset = self.base + at as u64;
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
        }
        if let Some(position) = hooks.identity {
            let slot = &mut self.identity[position];
            slot.clear();
            slot.extend_from_slice(text);
        }
        if let Some(role) = hooks.head {
            let text = self.context.encoding.decode(text).into_owned();
            self.out.head.push(HeadValue { role, node, text, place: Place { offset, line: 0, column: 0 } });
        }
        if !text.is_empty() {
            for index in &hooks.keys {
                self.out.keys[*index].push(Key { key: key_of(text), offset });
            }
            for index in &hooks.local_keys {
                let keys = &mut self.local_keys[*index];
                keys.texts.extend_from_slice(text);
                keys.ends.push((keys.texts.len(), offset));
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
            self.local_sums[*index].total = amount.map(|a| (a, offset));
        }
    }

    fn current_keys(&self) -> Keys {
        let text = |bytes: &Vec<u8>| (!bytes.is_empty()).then(|| self.context.encoding.decode(bytes).into());
        Keys { n_zap: text(&self.n_zap), idcase: text(&self.idcase), sl_id: text(&self.sl_id), idserv: text(&self.idserv), id_pac: text(&self.id_pac) }
    }

    fn finding(&self, check: Check, node: NodeId, at: usize) -> Finding {
        Finding { rule: self.context.plan.rule(check), ..self.finding_at(node, self.base + at as u64, None) }
    }

    fn finding_at(&self, node: NodeId, offset: u64, value: Option<&[u8]>) -> Finding {
        let node = self.context.format.node(node);
        Finding {
            path: Arc::clone(&node.path),
            place: Place { offset, line: 0, column: 0 },
            keys: self.current_keys(),
            value: value.map(|v| shown(&self.context.encoding.decode(v))),
            personal: node.personal,
            ..Finding::of_file(RuleIx(0), self.context.file)
        }
    }

    fn report(&mut self, check: Check, node: NodeId, at: usize, value: Option<&[u8]>) {
        self.report_with(check, node, at, value, None, None);
    }

    #[cold]
    fn report_with(&mut self, check: Check, node: NodeId, at: usize, value: Option<&[u8]>, expected: Option<String>, found: Option<String>) {
        let rule = self.context.plan.rule(check);
        let finding = self.finding_at(node, self.base + at as u64, value);
        self.out.findings.push(Finding { rule, expected: expected.map(Into::into), found: found.map(Into::into), ..finding });
    }
}

impl Running {
    fn add(&mut self, amount: Option<i64>) {
        self.addends += 1;
        match amount {
            Some(amount) => self.kopecks += i128::from(amount),
            None => self.broken = true,
        }
    }

    /// Joins the sum of a later piece.
    pub(super) fn join(&mut self, other: Self) {
        self.kopecks += other.kopecks;
        self.addends += other.addends;
        self.broken |= other.broken;
    }
}

fn clear<T>(list: &mut Vec<T>) -> Vec<T> {
    let mut list = std::mem::take(list);
    list.clear();
    list
}

/// Longest value that a finding carries.
const SHOWN: usize = 120;

fn shown(text: &str) -> Box<str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

fn check_characters(text: &[u8], at: usize) -> Result<(), Fault> {
    match forbidden_byte(text) {
        Some(n) => Err(Fault::new(Check::XmlCharacter).at((at + n) as u64).found(text[n])),
        None => Ok(()),
    }
}

/// Lines and columns of everything found in a piece, counted from the piece's first line; a place before the piece stays unresolved.
fn resolve_places(out: &mut PieceOutcome, bytes: &[u8], base: u64, encoding: Encoding) {
    let width = |from: usize, to: usize| encoding.length(&bytes[from..to]) as u32;
    let last_break = memchr::memrchr(b'\n', bytes);
    out.tail = match encoding {
        Encoding::Windows1251 => (bytes.len() - last_break.map_or(0, |n| n + 1)) as u32,
        Encoding::Utf8 => width(last_break.map_or(0, |n| n + 1), bytes.len()),
    };
    if out.findings.is_empty() && out.head.is_empty() && out.root_place.is_none() && out.fault.is_none() {
        out.lines = memchr::memchr_iter(b'\n', bytes).count() as u32;
        return;
    }
    let breaks: Vec<usize> = memchr::memchr_iter(b'\n', bytes).collect();
    out.lines = breaks.len() as u32;
    let resolve = |place: &mut Place| {
        let Some(at) = place.offset.checked_sub(base).map(|n| n as usize).filter(|n| *n <= bytes.len()) else { return };
        let line = breaks.partition_point(|b| *b < at);
        place.line = line as u32 + 1;
        place.column = width(if line == 0 { 0 } else { breaks[line - 1] + 1 }, at) + 1;
    };
    out.findings.iter_mut().for_each(|f| resolve(&mut f.place));
    out.head.iter_mut().for_each(|h| resolve(&mut h.place));
    out.root_place.iter_mut().for_each(resolve);
    out.fault_place.iter_mut().for_each(resolve);
}
