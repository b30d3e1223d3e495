//! The grammar of published rules, over words in which phrases have been replaced.

use super::Due;
use super::words::{Lexeme, Mark, Word, is_operator};
use crate::rules::ast::{Arg, ArithmeticOp, Call, CompareOp, Expr, Item, Literal, Quantifier, Ref, Set, Term};

/// The place where the words stop making a rule.
pub(super) struct Unfit {
    /// Place in the published text, in characters.
    pub(super) at: usize,
    pub(super) due: Due,
}

/// Deepest nesting of brackets.
const MAX_DEPTH: usize = 64;

/// Reads a condition. `element` is the left side of a comparison without one and of a bare value.
pub(super) fn read(words: &[Lexeme], element: Option<&str>) -> Result<Expr, Unfit> {
    let mut parser = Parser { words, next: 0, depth: 0, element };
    if let Some(element) = element
        && let Some(expr) = parser.short_form(element)
    {
        return Ok(expr);
    }
    let expr = parser.expr()?;
    if parser.peek() == &Word::End { Ok(expr) } else { Err(parser.due(Due::OrEnd)) }
}

struct Parser<'a> {
    words: &'a [Lexeme],
    next: usize,
    depth: usize,
    element: Option<&'a str>,
}

impl Parser<'_> {
    fn peek(&self) -> &Word {
        &self.words[self.next].word
    }

    fn peek_at(&self, ahead: usize) -> &Word {
        self.words.get(self.next + ahead).map_or(&Word::End, |l| &l.word)
    }

    fn advance(&mut self) {
        if self.peek() != &Word::End {
            self.next += 1;
        }
    }

    fn due(&self, due: Due) -> Unfit {
        Unfit { at: self.words[self.next].at, due }
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Word::Symbol(s) if *s == symbol);
        self.next += usize::from(found);
        found
    }

    fn take_mark(&mut self, mark: Mark) -> bool {
        let found = self.peek() == &Word::Mark(mark);
        self.next += usize::from(found);
        found
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Unfit>) -> Result<T, Unfit> {
        if self.depth == MAX_DEPTH {
            return Err(self.due(Due::Shallower));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Reads a bare value, set or element: equality with the checked element, or membership.
    fn short_form(&self, element: &str) -> Option<Expr> {
        let left = || Term::Ref(Ref::new(element));
        let alone = self.peek_at(1) == &Word::End;
        match self.peek() {
            Word::Number(value) | Word::Code(value) | Word::Text(value) | Word::Russian(value) if alone => {
                Some(Expr::Compare(CompareOp::Eq, left(), Term::Text(value.clone())))
            }
            Word::Name(name) if alone => Some(Expr::Compare(CompareOp::Eq, left(), Term::Ref(Ref::new(name)))),
            Word::Symbol("{") => {
                let mut parser = Parser { words: self.words, next: self.next, depth: 0, element: None };
                let set = parser.set().ok()?;
                (parser.peek() == &Word::End).then(|| Expr::In { term: left(), set, negated: false })
            }
            _ => None,
        }
    }

    fn expr(&mut self) -> Result<Expr, Unfit> {
        let mut parts = vec![self.and()?];
        while self.take_mark(Mark::Or) {
            parts.push(self.and()?);
        }
        let mut expr = if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) };
        // «… in at least one of the elements B of A» applies to everything before it.
        while let Word::Mark(mark @ (Mark::Some | Mark::Every)) = *self.peek() {
            self.advance();
            let (block, within) = (self.name()?, self.name()?);
            let quantifier = if mark == Mark::Some { Quantifier::Exists } else { Quantifier::ForAll };
            expr = Expr::Quantified { quantifier, block, within: Some(within), condition: Box::new(expr) };
        }
        Ok(expr)
    }

    fn and(&mut self) -> Result<Expr, Unfit> {
        let mut parts = vec![self.atom()?];
        while self.take_mark(Mark::And) {
            parts.push(self.atom()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn atom(&mut self) -> Result<Expr, Unfit> {
        if let Some(expr) = self.presence() {
            return Ok(expr);
        }
        if matches!(self.peek(), Word::Symbol("(")) {
            // A bracket opens a condition or a term; try the condition first.
            let start = self.next;
            self.advance();
            let condition = self.nested(Self::expr);
            if let Ok(expr) = &condition
                && matches!(self.peek(), Word::Symbol(")"))
                && !matches!(self.peek_at(1), Word::Symbol(s) if is_operator(s) || matches!(*s, "+" | "-"))
            {
                let expr = expr.clone();
                self.advance();
                return Ok(expr);
            }
            let further = match condition {
                Err(error) => error,
                Ok(_) => self.due(Due::Bracket),
            };
            self.next = start;
            return self.comparison().map_err(|e| if further.at > e.at { further } else { e });
        }
        self.comparison()
    }

    /// Reads `A, B и C отсутствуют` or `отсутствует A`.
    fn presence(&mut self) -> Option<Expr> {
        let start = self.next;
        if let Word::Mark(mark @ (Mark::Present | Mark::Absent)) = *self.peek() {
            self.advance();
            self.take_mark(Mark::Tag);
            if let Ok(name) = self.name() {
                return Some(make(mark, vec![name]));
            }
            self.next = start;
            return None;
        }
        self.take_mark(Mark::Tag);
        let mut names = Vec::new();
        while let Ok(name) = self.name() {
            names.push(name);
            if let Word::Mark(mark @ (Mark::Present | Mark::Absent)) = *self.peek() {
                self.advance();
                return Some(make(mark, names));
            }
            if !self.take(",") && !self.take_mark(Mark::And) {
                break;
            }
        }
        self.next = start;
        None
    }

    fn name(&mut self) -> Result<Ref, Unfit> {
        match self.peek() {
            Word::Name(name) => {
                let name = Ref::new(name);
                self.advance();
                Ok(name)
            }
            _ => Err(self.due(Due::Name)),
        }
    }

    fn comparison(&mut self) -> Result<Expr, Unfit> {
        let left = match (self.peek(), self.element) {
            (Word::Symbol(s), Some(element)) if is_operator(s) => Term::Ref(Ref::new(element)),
            _ => self.term()?,
        };
        let Some(op) = self.operator() else {
            return match left {
                Term::Call(call) => Ok(Expr::Call(call)),
                _ => Err(self.due(Due::Comparison)),
            };
        };
        if matches!(self.peek(), Word::Symbol("{")) {
            if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
                return Err(self.due(Due::Value));
            }
            return Ok(Expr::In { term: left, set: self.set()?, negated: op == CompareOp::Ne });
        }
        let middle = self.right_side()?;
        let Some(second) = self.operator() else { return Ok(Expr::Compare(op, left, middle)) };
        let right = self.right_side()?;
        // `C00.0<=DS1<D10`: the middle term is compared with both ends.
        Ok(Expr::And(vec![Expr::Compare(op, left, middle.clone()), Expr::Compare(second, middle, right)]))
    }

    fn operator(&mut self) -> Option<CompareOp> {
        let op = match self.peek() {
            Word::Symbol("=") => CompareOp::Eq,
            Word::Symbol("<>") => CompareOp::Ne,
            Word::Symbol("<") => CompareOp::Lt,
            Word::Symbol("<=") => CompareOp::Le,
            Word::Symbol(">") => CompareOp::Gt,
            Word::Symbol(">=") => CompareOp::Ge,
            _ => return None,
        };
        self.advance();
        Some(op)
    }

    /// Reads a right side, where a single capital is a value: `Pi=M`.
    fn right_side(&mut self) -> Result<Term, Unfit> {
        if let Word::Name(name) = self.peek()
            && name.len() == 1
        {
            let value = Term::Text(name.clone());
            self.advance();
            return Ok(value);
        }
        self.term()
    }

    fn term(&mut self) -> Result<Term, Unfit> {
        let mut left = self.factor()?;
        loop {
            let op = if self.take("+") {
                ArithmeticOp::Plus
            } else if self.take("-") {
                ArithmeticOp::Minus
            } else {
                return Ok(left);
            };
            left = Term::Arithmetic(op, Box::new(left), Box::new(self.factor()?));
        }
    }

    fn factor(&mut self) -> Result<Term, Unfit> {
        let term = match self.peek().clone() {
            Word::Number(number) => Term::Number(number),
            Word::Code(text) | Word::Text(text) => Term::Text(text),
            Word::Russian(text) if !text.chars().any(char::is_lowercase) => Term::Text(text),
            Word::Name(name) => Term::Ref(Ref::new(name)),
            Word::Function(name) => {
                self.advance();
                return self.call(name);
            }
            Word::Symbol("\"") => {
                self.advance();
                let text = self.quoted()?;
                return Ok(Term::Text(text));
            }
            Word::Symbol("(") => {
                self.advance();
                let term = self.nested(Self::term)?;
                return if self.take(")") { Ok(term) } else { Err(self.due(Due::Bracket)) };
            }
            _ => return Err(self.due(Due::Value)),
        };
        self.advance();
        Ok(term)
    }

    fn quoted(&mut self) -> Result<String, Unfit> {
        let text = match self.peek() {
            Word::Name(w) | Word::Code(w) | Word::Number(w) | Word::Russian(w) | Word::Text(w) => w.clone(),
            _ => return Err(self.due(Due::Value)),
        };
        self.advance();
        if self.take("\"") { Ok(text) } else { Err(self.due(Due::Quote)) }
    }

    /// Reads the arguments of a function that a phrase has made; a book's name among them is a name.
    fn call(&mut self, name: String) -> Result<Term, Unfit> {
        let mut args = Vec::new();
        if !self.take("(") {
            return Err(self.due(Due::Value));
        }
        while !self.take(")") {
            let arg = match self.peek() {
                Word::Name(w) | Word::Code(w) => Term::Ref(Ref::new(w)),
                Word::Text(w) => Term::Text(w.clone()),
                Word::Number(w) => Term::Number(w.clone()),
                _ => return Err(self.due(Due::Value)),
            };
            self.advance();
            args.push(Arg::Term(arg));
            self.take(",");
        }
        Ok(Term::Call(Call { name, args, at: 0 }))
    }

    fn set(&mut self) -> Result<Set, Unfit> {
        if !self.take("{") {
            return Err(self.due(Due::Value));
        }
        let mut items = Vec::new();
        loop {
            let first = self.literal()?;
            items.push(if self.take("-") { Item::Range(first, self.literal()?) } else { Item::One(first) });
            if self.take("}") {
                return Ok(Set::Items(items));
            }
            if !self.take(",") && !self.take(";") {
                return Err(self.due(Due::SetEnd));
            }
        }
    }

    fn literal(&mut self) -> Result<Literal, Unfit> {
        let literal = match self.peek() {
            Word::Number(w) => Literal::Number(w.clone()),
            Word::Name(w) | Word::Code(w) | Word::Russian(w) | Word::Text(w) => Literal::Text(w.clone()),
            Word::Symbol("\"") => {
                self.advance();
                return self.quoted().map(Literal::Text);
            }
            _ => return Err(self.due(Due::Value)),
        };
        self.advance();
        Ok(literal)
    }
}

fn make(mark: Mark, names: Vec<Ref>) -> Expr {
    if mark == Mark::Present { Expr::Present(names) } else { Expr::Absent(names) }
}
