//! Parses the rule language.
//!
//! ```text
//! expr     := and { OR and }              and  := not { AND not }          not := [NOT] atom
//! atom     := "(" expr ")" | presence | quantified | member | compare | call
//! presence := (PRESENT | ABSENT) "(" name { "," name } ")"
//! quantified := (EXISTS | FORALL) "(" name [IN name] ":" expr ")"
//! member   := term [NOT] IN (set | range | name)      like := term LIKE text
//! compare  := term op term                            op := = <> < <= > >=
//! term     := factor { ("+" | "-") factor }           factor := number | text | call | name | "(" term ")"
//! set      := "{" item { "," item } "}"               item := literal [".." literal]
//! ```

use super::ast::{Arg, ArithmeticOp, Call, CompareOp, Expr, Item, Literal, Quantifier, Ref, Set, Term};
use super::lex::{Lexeme, SyntaxError, Word, lex};

/// Deepest nesting of brackets.
const MAX_DEPTH: usize = 64;

/// Parses the text of a rule.
///
/// # Errors
/// The first place that does not fit the grammar, and what was expected there.
pub fn parse(text: &str) -> Result<Expr, SyntaxError> {
    let mut parser = Parser { words: lex(text)?, next: 0, depth: 0 };
    let expr = parser.expr()?;
    match parser.peek() {
        Word::End => Ok(expr),
        _ => Err(parser.expected("AND, OR or the end")),
    }
}

struct Parser {
    words: Vec<Lexeme>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Word {
        &self.words[self.next].word
    }

    fn at(&self) -> usize {
        self.words[self.next].at
    }

    fn advance(&mut self) -> Word {
        let word = self.peek().clone();
        if word != Word::End {
            self.next += 1;
        }
        word
    }

    fn expected(&self, what: &str) -> SyntaxError {
        SyntaxError::new(self.at(), format!("{what} is due, {} stands here", self.peek()))
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Word::Symbol(s) if *s == symbol)
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Word::Name(n) if n == keyword)
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.next += usize::from(found);
        found
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        self.next += usize::from(found);
        found
    }

    fn symbol(&mut self, symbol: &'static str) -> Result<(), SyntaxError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("«{symbol}»"))) }
    }

    fn name(&mut self) -> Result<Ref, SyntaxError> {
        let at = self.at();
        match self.peek() {
            Word::Name(name) if !is_keyword(name) => {
                let name = name.clone();
                self.next += 1;
                Ok(Ref { name, at })
            }
            _ => Err(self.expected("a name")),
        }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, SyntaxError>) -> Result<T, SyntaxError> {
        if self.depth == MAX_DEPTH {
            return Err(SyntaxError::new(self.at(), format!("nested deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn expr(&mut self) -> Result<Expr, SyntaxError> {
        let mut parts = vec![self.and()?];
        while self.take_keyword("OR") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn and(&mut self) -> Result<Expr, SyntaxError> {
        let mut parts = vec![self.not()?];
        while self.take_keyword("AND") {
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn not(&mut self) -> Result<Expr, SyntaxError> {
        if self.take_keyword("NOT") { Ok(Expr::Not(Box::new(self.nested(Self::not)?))) } else { self.atom() }
    }

    fn atom(&mut self) -> Result<Expr, SyntaxError> {
        if self.is_symbol("(") {
            // A bracket opens a condition or a term; try the condition first.
            let start = self.next;
            self.next += 1;
            let condition = self.nested(Self::expr);
            if let Ok(expr) = &condition
                && self.is_symbol(")")
                && !self.follows_term()
            {
                let expr = expr.clone();
                self.next += 1;
                return Ok(expr);
            }
            let furthest = condition.err();
            self.next = start;
            return self.comparison().map_err(|e| furthest.filter(|f| f.at > e.at).unwrap_or(e));
        }
        for (word, make) in [("PRESENT", Expr::Present as fn(Vec<Ref>) -> Expr), ("ABSENT", Expr::Absent)] {
            if self.is_call(word) {
                self.next += 2;
                let mut names = vec![self.name()?];
                while self.take_symbol(",") {
                    names.push(self.name()?);
                }
                self.symbol(")")?;
                return Ok(make(names));
            }
        }
        for (word, quantifier) in [("EXISTS", Quantifier::Exists), ("FORALL", Quantifier::ForAll)] {
            if self.is_call(word) {
                self.next += 2;
                let block = self.name()?;
                let within = if self.take_keyword("IN") { Some(self.name()?) } else { None };
                self.symbol(":")?;
                let condition = Box::new(self.nested(Self::expr)?);
                self.symbol(")")?;
                return Ok(Expr::Quantified { quantifier, block, within, condition });
            }
        }
        self.comparison()
    }

    /// Whether an operator follows the closing bracket, which makes the bracket a term.
    fn follows_term(&self) -> bool {
        let Some(word) = self.words.get(self.next + 1) else { return false };
        match &word.word {
            Word::Symbol(s) => matches!(*s, "<=" | ">=" | "<>" | "<" | ">" | "=" | "+" | "-"),
            Word::Name(n) => matches!(n.as_str(), "IN" | "LIKE"),
            _ => false,
        }
    }

    fn is_call(&self, name: &str) -> bool {
        self.is_keyword(name) && matches!(self.words.get(self.next + 1), Some(Lexeme { word: Word::Symbol("("), .. }))
    }

    fn comparison(&mut self) -> Result<Expr, SyntaxError> {
        let start = self.at();
        let left = self.term()?;
        let negated = self.is_keyword("NOT");
        self.next += usize::from(negated);
        if self.take_keyword("IN") {
            return Ok(Expr::In { term: left, set: self.set()?, negated });
        }
        if negated {
            return Err(self.expected("IN"));
        }
        if self.take_keyword("LIKE") {
            let at = self.at();
            return match self.advance() {
                Word::Text(pattern) if pattern.ends_with('*') && !pattern[..pattern.len() - 1].contains('*') => Ok(Expr::Like(left, pattern)),
                _ => Err(SyntaxError::new(at, "a text that ends in «*» is due")),
            };
        }
        let op = match self.peek() {
            Word::Symbol("=") => CompareOp::Eq,
            Word::Symbol("<>") => CompareOp::Ne,
            Word::Symbol("<") => CompareOp::Lt,
            Word::Symbol("<=") => CompareOp::Le,
            Word::Symbol(">") => CompareOp::Gt,
            Word::Symbol(">=") => CompareOp::Ge,
            _ => {
                return match left {
                    Term::Call(call) => Ok(Expr::Call(call)),
                    _ => {
                        let error = self.expected("a comparison or IN");
                        Err(SyntaxError { at: error.at.max(start), ..error })
                    }
                };
            }
        };
        self.next += 1;
        Ok(Expr::Compare(op, left, self.term()?))
    }

    fn set(&mut self) -> Result<Set, SyntaxError> {
        if self.take_symbol("{") {
            let mut items = vec![self.item()?];
            while self.take_symbol(",") {
                items.push(self.item()?);
            }
            self.symbol("}")?;
            return Ok(Set::Items(items));
        }
        match self.peek() {
            Word::Name(_) => Ok(Set::Named(self.name()?)),
            Word::Number(_) | Word::Text(_) => {
                let item = self.item()?;
                if matches!(item, Item::One(_)) { Err(self.expected("«..»")) } else { Ok(Set::Items(vec![item])) }
            }
            _ => Err(self.expected("«{», a range or a name")),
        }
    }

    fn item(&mut self) -> Result<Item, SyntaxError> {
        let first = self.literal()?;
        Ok(if self.take_symbol("..") { Item::Range(first, self.literal()?) } else { Item::One(first) })
    }

    fn literal(&mut self) -> Result<Literal, SyntaxError> {
        match self.peek() {
            Word::Number(n) => {
                let number = Literal::Number(n.clone());
                self.next += 1;
                Ok(number)
            }
            Word::Text(t) => {
                let text = Literal::Text(t.clone());
                self.next += 1;
                Ok(text)
            }
            _ => Err(self.expected("a number or a text in quotes")),
        }
    }

    fn term(&mut self) -> Result<Term, SyntaxError> {
        let mut left = self.factor()?;
        loop {
            let op = if self.take_symbol("+") {
                ArithmeticOp::Plus
            } else if self.take_symbol("-") {
                ArithmeticOp::Minus
            } else {
                return Ok(left);
            };
            left = Term::Arithmetic(op, Box::new(left), Box::new(self.factor()?));
        }
    }

    fn factor(&mut self) -> Result<Term, SyntaxError> {
        match self.peek().clone() {
            Word::Number(n) => {
                self.next += 1;
                Ok(Term::Number(n))
            }
            Word::Text(t) => {
                self.next += 1;
                Ok(Term::Text(t))
            }
            Word::Symbol("(") => {
                self.next += 1;
                let term = self.nested(Self::term)?;
                self.symbol(")")?;
                Ok(term)
            }
            Word::Name(name) if self.is_call(&name) => self.call(name).map(Term::Call),
            _ => self.name().map(Term::Ref).map_err(|_| self.expected("a value")),
        }
    }

    fn call(&mut self, name: String) -> Result<Call, SyntaxError> {
        let at = self.at();
        self.next += 2;
        let mut args = Vec::new();
        if !self.take_symbol(")") {
            loop {
                args.push(self.nested(Self::arg)?);
                if !self.take_symbol(",") {
                    break;
                }
            }
            self.symbol(")")?;
        }
        Ok(Call { name, args, at })
    }

    fn arg(&mut self) -> Result<Arg, SyntaxError> {
        let term = self.term()?;
        let Term::Ref(name) = term else { return Ok(Arg::Term(term)) };
        if self.take_symbol("=") {
            return Ok(Arg::Field(name, self.term()?));
        }
        if self.take_keyword("WHERE") {
            return Ok(Arg::Where(name, Box::new(self.expr()?)));
        }
        Ok(Arg::Term(Term::Ref(name)))
    }
}

fn is_keyword(name: &str) -> bool {
    matches!(name, "AND" | "OR" | "NOT" | "IN" | "LIKE" | "WHERE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_rules_read_back() {
        for text in [
            "DIAG_TIP = 1",
            "AGE(DATE_Z_1) >= 18 AND (('C00.0' <= DS1 AND DS1 < 'C81') OR ('C96' < DS1 AND DS1 < 'D10'))",
            "PERIOD() <= PERIOD('2019-10')",
            "DOCTYPE IN {1, 4..8, 14} AND NOVOR = 0",
            "RSLT NOT IN {317, 321}",
            "LEN(NPOLIS) IN 1..20 AND MASK(NPOLIS, '[9]9')",
            "ABSENT(SMO, SMO_OGRN) OR PRESENT(SL.USL)",
            "EXISTS(ONK_USL IN ONK_SL: USL_TIP IN {3, 4})",
            "NOT EXISTS(DS2: DS2 LIKE 'O*' OR DS2 LIKE 'Z34*')",
            "SUMMAP = SUMMAV - (SANK_MEK + SANK_MEE + SANK_EKMP)",
            "SANK_MEK = SUM(SANK.S_SUM WHERE S_TIP IN {1, 10, 11, 12})",
            "BOOKROW(N009, DS_Mrf = DS1, ID_Mrf = DIAG_CODE)",
            "KOEF_Z = BOOK1(V023, K_KSG = N_KSG, KOEF_Z)",
            "'STT5' NOT IN CRIT",
            "NOT (A = 1 OR B = 2)",
            "BOOK(V002.IDPR)",
            "ZL_LIST/ZAP/Z_SL/P_OTK = 0 OR PRESENT(DS1)",
        ] {
            let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(expr.to_string(), text);
        }
    }

    #[test]
    fn brackets_of_terms_and_of_conditions() {
        assert_eq!(parse("(A - B) > 0 AND (C = 1)").expect("sound").to_string(), "A - B > 0 AND C = 1");
        assert_eq!(parse("((A = 1))").expect("sound").to_string(), "A = 1");
    }

    #[test]
    fn mistakes_have_places() {
        for (text, at, what) in [
            ("", 0, "a value"),
            ("A", 1, "a comparison"),
            ("A = ", 4, "a value"),
            ("A = 1 B = 2", 6, "AND, OR"),
            ("A IN {1, }", 9, "a number"),
            ("(A = 1 OR B", 11, "a comparison"),
            ("PRESENT(1)", 8, "a name"),
            ("A NOT 1", 6, "IN"),
            ("A LIKE 'x'", 7, "«*»"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.at == at && error.message.contains(what), "{text}: {error}");
        }
        assert!(parse(&"(".repeat(10_000)).is_err());
        assert!(parse(&"NOT ".repeat(3_000)).is_err());
    }
}
