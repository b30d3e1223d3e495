//! The little language of `rules/generate/`: conditions and values over facts.
//!
//! `usl_ok=1|2 & !is_child`, `date_1 + rand(0, 5)`, `draw(outpatient, who)`, `cat('9', digits(15, person_key))`. A bare name is a fact,
//! `'…'` a text; `=` and `!=` take alternatives with `|`. A fact that is not set is false and equals nothing. `has('ENP')` asks whether
//! the edition has an element, `none()` is the value of a fact that is not set.

use super::calendar::{age, date, day};
use super::rng::mix;
use super::words::{Slot, State, Value, Words};

/// A parsed expression.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    Const(Value),
    Fact(Slot),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Compare, Box<Expr>, Vec<Expr>),
    Arith(u8, Box<Expr>, Box<Expr>),
    Call(Function, Vec<Expr>),
    /// A draw from a pool: pool, prepared draw, facts of the keys.
    Draw(usize, usize, Vec<Slot>),
    /// A cell of a pool: pool, column, row (modulo the number of rows).
    At(usize, usize, Box<Expr>),
    Size(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Differs,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

macro_rules! functions {
    ($($name:ident $word:literal $min:literal $max:literal),* $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Function { $($name),* }

        impl Function {
            fn find(word: &str) -> Option<(Self, usize, usize)> {
                match word { $($word => Some((Self::$name, $min, $max)),)* _ => None }
            }
        }
    };
}

functions! {
    // Chance.
    Rand "rand" 2 2, Chance "chance" 1 2, One "one" 1 99,
    // Choice.
    If "if" 3 3, Min "min" 2 2, Max "max" 2 2,
    // Days.
    Day "day" 3 3, Year "year" 1 1, Month "month" 1 1, Mday "mday" 1 1, Age "age" 2 2, Years "years" 2 2,
    // Numbers that depend on keys only.
    Hash "hash" 1 9,
    // Texts; only as the whole value of an element, or inside `cat`.
    Cat "cat" 1 99, Digits "digits" 2 9, Pad "pad" 2 2, Guid "guid" 1 9, Fixed "fixed" 2 2,
    // The same, of a number.
    Snils "snils" 1 1, SnilsDigits "snils_digits" 1 1, Enp "enp" 1 1,
}

impl Function {
    fn is_text(self) -> bool {
        matches!(self, Self::Cat | Self::Digits | Self::Pad | Self::Guid | Self::Fixed | Self::Snils | Self::SnilsDigits | Self::Enp)
    }
}

impl Expr {
    /// Whether at least one branch makes a text, which only the writer of an element can take.
    pub(super) fn makes_text(&self) -> bool {
        match self {
            Self::Call(Function::If | Function::One, branches) => branches.iter().any(Self::makes_text),
            Self::Call(function, _) => function.is_text(),
            _ => false,
        }
    }

    /// Whether any fact that the expression reads passes a test.
    pub(super) fn uses(&self, test: impl Fn(Slot) -> bool + Copy) -> bool {
        match self {
            Self::Const(_) | Self::Size(_) => false,
            Self::Fact(slot) => test(*slot),
            Self::Not(inner) | Self::At(_, _, inner) => inner.uses(test),
            Self::And(parts) | Self::Or(parts) | Self::Call(_, parts) => parts.iter().any(|p| p.uses(test)),
            Self::Compare(_, left, right) => left.uses(test) || right.iter().any(|p| p.uses(test)),
            Self::Arith(_, left, right) => left.uses(test) || right.uses(test),
            Self::Draw(_, _, keys) => keys.iter().any(|k| test(*k)),
        }
    }
}

/// Parses an expression.
pub(super) fn parse(words: &mut Words<'_>, text: &str) -> Result<Expr, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, words };
    let expr = parser.or()?;
    if parser.at < tokens.len() {
        return Err(format!("«{text}»: «{}» is one too many", tokens[parser.at].show()));
    }
    Ok(expr)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Number(i64),
    Sign(&'static str),
}

impl Token {
    fn show(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Text(text) => format!("'{text}'"),
            Self::Number(number) => number.to_string(),
            Self::Sign(sign) => (*sign).to_owned(),
        }
    }
}

const SIGNS: [&str; 19] = ["<=", ">=", "!=", "=", "<", ">", "&", "|", "!", "(", ")", ",", "+", "-", "*", "/", "%", ".", ";"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let take = |test: fn(char) -> bool| rest.find(|c| !test(c)).unwrap_or(rest.len());
        let used = if c.is_ascii_digit() {
            let end = take(|c| c.is_ascii_digit());
            out.push(Token::Number(rest[..end].parse().map_err(|_| format!("«{text}»: number {}", &rest[..end]))?));
            end
        } else if c.is_ascii_lowercase() || c == '_' {
            let end = take(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            out.push(Token::Name(rest[..end].to_owned()));
            end
        } else if c == '\'' {
            let end = rest[1..].find('\'').ok_or_else(|| format!("«{text}»: a text without its end"))?;
            out.push(Token::Text(rest[1..=end].to_owned()));
            end + 2
        } else {
            let sign = SIGNS.iter().find(|s| rest.starts_with(**s)).ok_or_else(|| format!("«{text}»: «{c}»"))?;
            out.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest[used..].trim_start();
    }
    Ok(out)
}

struct Parser<'a, 'w, 't> {
    tokens: &'a [Token],
    at: usize,
    words: &'w mut Words<'t>,
}

impl Parser<'_, '_, '_> {
    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(format!("«{sign}» is due, found «{}»", self.tokens.get(self.at).map_or("the end".to_owned(), Token::show)))
        }
    }

    fn word(&mut self) -> Option<String> {
        let Some(Token::Name(name)) = self.tokens.get(self.at) else { return None };
        self.at += 1;
        Some(name.clone())
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.and()?];
        while matches!(self.tokens.get(self.at), Some(Token::Name(n)) if n == "or") {
            self.at += 1;
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.not()?];
        while self.sign("&") {
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn not(&mut self) -> Result<Expr, String> {
        if self.sign("!") { Ok(Expr::Not(Box::new(self.not()?))) } else { self.compare() }
    }

    fn compare(&mut self) -> Result<Expr, String> {
        let left = self.sum()?;
        let signs =
            [("=", Compare::Equal), ("!=", Compare::Differs), ("<=", Compare::AtMost), (">=", Compare::AtLeast), ("<", Compare::Less), (">", Compare::Greater)];
        for (sign, compare) in signs {
            if self.sign(sign) {
                let mut right = vec![self.sum()?];
                while self.sign("|") {
                    right.push(self.sum()?);
                }
                if right.len() > 1 && !matches!(compare, Compare::Equal | Compare::Differs) {
                    return Err("alternatives go with = and != only".to_owned());
                }
                return Ok(Expr::Compare(compare, Box::new(left), right));
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expr, String> {
        let mut left = self.product()?;
        loop {
            let sign = if self.sign("+") {
                b'+'
            } else if self.sign("-") {
                b'-'
            } else {
                return Ok(left);
            };
            left = Expr::Arith(sign, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expr, String> {
        let mut left = self.single()?;
        loop {
            let sign = if self.sign("*") {
                b'*'
            } else if self.sign("/") {
                b'/'
            } else if self.sign("%") {
                b'%'
            } else {
                return Ok(left);
            };
            left = Expr::Arith(sign, Box::new(left), Box::new(self.single()?));
        }
    }

    fn single(&mut self) -> Result<Expr, String> {
        if self.sign("(") {
            let inner = self.or()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.sign("-") {
            return Ok(Expr::Arith(b'-', Box::new(Expr::Const(Value::Int(0))), Box::new(self.single()?)));
        }
        let token = self.tokens.get(self.at).ok_or("the expression ends early")?.clone();
        self.at += 1;
        match token {
            Token::Number(number) => Ok(Expr::Const(Value::Int(number))),
            Token::Text(text) => Ok(Expr::Const(Value::Text(self.words.text(&text)))),
            Token::Sign(sign) => Err(format!("«{sign}» where a value is due")),
            Token::Name(name) if self.sign("(") => self.call(&name),
            Token::Name(name) => Ok(Expr::Fact(self.words.fact(&name))),
        }
    }

    fn call(&mut self, name: &str) -> Result<Expr, String> {
        if name == "has" {
            let Some(Token::Text(element)) = self.tokens.get(self.at).cloned() else { return Err("has() takes the name of an element".to_owned()) };
            self.at += 1;
            self.expect(")")?;
            return Ok(Expr::Const(Value::Int(i64::from(self.words.has_element(&element)))));
        }
        if name == "none" {
            self.expect(")")?;
            return Ok(Expr::Const(Value::None));
        }
        if let "draw" | "at" | "size" = name {
            let pool = self.word().ok_or("the name of a pool is due")?;
            let pool = self.words.pool(&pool)?;
            return self.pool_call(name, pool);
        }
        let (function, min, max) = Function::find(name).ok_or_else(|| format!("no function «{name}»"))?;
        let mut args = Vec::new();
        if !self.sign(")") {
            loop {
                args.push(self.or()?);
                if !self.sign(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        if !(min..=max).contains(&args.len()) {
            return Err(format!("{name}() takes {min} to {max} arguments"));
        }
        Ok(Expr::Call(function, args))
    }

    fn pool_call(&mut self, name: &str, pool: usize) -> Result<Expr, String> {
        let expr = match name {
            "size" => Expr::Size(pool),
            "at" => {
                self.expect(".")?;
                let column = self.word().ok_or("the name of a column is due")?;
                let column = self.words.column(pool, &column)?;
                self.expect(",")?;
                Expr::At(pool, column, Box::new(self.or()?))
            }
            _ => {
                let mut keys = Vec::new();
                while self.sign(",") {
                    keys.push(self.word().ok_or("the name of a key is due")?);
                }
                let names: Vec<&str> = keys.iter().map(String::as_str).collect();
                let draw = self.words.keyed(pool, &names)?;
                Expr::Draw(pool, draw, keys.iter().map(|k| self.words.fact(k)).collect())
            }
        };
        self.expect(")")?;
        Ok(expr)
    }
}

/// Evaluates an expression.
pub(super) fn eval(words: &Words<'_>, expr: &Expr, state: &mut State) -> Result<Value, String> {
    let truth = |is: bool| Value::Int(i64::from(is));
    Ok(match expr {
        Expr::Const(value) => *value,
        Expr::Fact(slot) => state.facts.get(*slot).copied().unwrap_or_default(),
        Expr::Not(inner) => truth(!eval(words, inner, state)?.is_true()),
        Expr::And(parts) => {
            for part in parts {
                if !eval(words, part, state)?.is_true() {
                    return Ok(Value::Int(0));
                }
            }
            Value::Int(1)
        }
        Expr::Or(parts) => {
            for part in parts {
                if eval(words, part, state)?.is_true() {
                    return Ok(Value::Int(1));
                }
            }
            Value::Int(0)
        }
        Expr::Compare(compare, left, right) => {
            let left = eval(words, left, state)?;
            let mut any = false;
            for part in right {
                let right = eval(words, part, state)?;
                any |= if matches!(compare, Compare::Equal | Compare::Differs) {
                    left == right && left != Value::None
                } else {
                    ordered(words, *compare, left, right)
                };
            }
            truth(any != (*compare == Compare::Differs))
        }
        Expr::Arith(sign, left, right) => arith(*sign, eval(words, left, state)?, eval(words, right, state)?)?,
        Expr::Draw(pool, draw, keys) => words.draw(*pool, *draw, keys, state)?,
        Expr::At(pool, column, row) => {
            let row = number(eval(words, row, state)?)?;
            words.cell(*pool, *column, row)
        }
        Expr::Size(pool) => Value::Int(words.pool_size(*pool) as i64),
        Expr::Call(Function::If, args) => {
            let branch = if eval(words, &args[0], state)?.is_true() { 1 } else { 2 };
            eval(words, &args[branch], state)?
        }
        Expr::Call(Function::One, args) => {
            let chosen = state.rng.below(args.len() as u64) as usize;
            eval(words, &args[chosen], state)?
        }
        Expr::Call(Function::Hash, args) => Value::Int((hash(words, args, state)? >> 1) as i64),
        Expr::Call(function, args) => {
            let mut values = [Value::None; 3];
            for (value, arg) in values.iter_mut().zip(args) {
                *value = eval(words, arg, state)?;
            }
            call(*function, values, args.len(), state)?
        }
    })
}

fn call(function: Function, [a, b, c]: [Value; 3], given: usize, state: &mut State) -> Result<Value, String> {
    Ok(match function {
        Function::Rand => match (a, b) {
            (Value::Date(low), Value::Date(high)) => Value::Date(state.rng.between(low.into(), high.into()) as i32),
            _ => Value::Int(state.rng.between(number(a)?, number(b)?)),
        },
        Function::Chance => {
            let of = if given == 2 { number(b)? } else { 100 };
            Value::Int(i64::from((state.rng.below(of as u64) as i64) < number(a)?))
        }
        Function::Min => a.min(b),
        Function::Max => a.max(b),
        Function::Day => Value::Date(day(number(a)?, number(b)?, number(c)?)),
        Function::Year => Value::Int(date(moment(a)?).0),
        Function::Month => Value::Int(date(moment(a)?).1),
        Function::Mday => Value::Int(date(moment(a)?).2),
        Function::Age => Value::Int(age(moment(a)?, moment(b)?)),
        Function::Years => {
            let (y, m, d) = date(moment(a)?);
            // February 29 becomes February 28, which every year has.
            let d = if (m, d) == (2, 29) { 28 } else { d };
            Value::Date(day(y + number(b)?, m, d))
        }
        other => return Err(format!("{other:?} makes a text: it stands in the column «value» of elements only")),
    })
}

/// A number that depends only on its keys.
pub(super) fn hash(words: &Words<'_>, args: &[Expr], state: &mut State) -> Result<u64, String> {
    let mut sum = 0x243F_6A88_85A3_08D3;
    for arg in args {
        let value = match eval(words, arg, state)? {
            Value::None => 0,
            Value::Int(n) => n as u64,
            Value::Date(d) => d as u64,
            Value::Text(id) => words.text_key(id),
        };
        sum = mix(sum ^ mix(value));
    }
    Ok(sum)
}

fn ordered(words: &Words<'_>, compare: Compare, left: Value, right: Value) -> bool {
    use std::cmp::Ordering;
    let order = match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.cmp(&b),
        (Value::Date(a), Value::Date(b)) => a.cmp(&b),
        (Value::Text(a), Value::Text(b)) => words.texts()[a as usize].cmp(&words.texts()[b as usize]),
        _ => return false,
    };
    match compare {
        Compare::Less => order == Ordering::Less,
        Compare::AtMost => order != Ordering::Greater,
        Compare::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }
}

fn arith(sign: u8, left: Value, right: Value) -> Result<Value, String> {
    Ok(match (sign, left, right) {
        (b'+', Value::Date(a), Value::Int(b)) => Value::Date(a + b as i32),
        (b'-', Value::Date(a), Value::Int(b)) => Value::Date(a - b as i32),
        (b'-', Value::Date(a), Value::Date(b)) => Value::Int(i64::from(a) - i64::from(b)),
        (b'+', ..) => Value::Int(number(left)?.wrapping_add(number(right)?)),
        (b'-', ..) => Value::Int(number(left)?.wrapping_sub(number(right)?)),
        (b'*', ..) => Value::Int(number(left)?.wrapping_mul(number(right)?)),
        (b'/', ..) => Value::Int(number(left)?.checked_div(number(right)?).ok_or("division by zero")?),
        _ => Value::Int(number(left)?.checked_rem(number(right)?).ok_or("division by zero")?),
    })
}

/// A number; a fact that is not set counts as zero.
pub(super) fn number(value: Value) -> Result<i64, String> {
    match value {
        Value::Int(n) => Ok(n),
        Value::None => Ok(0),
        Value::Date(_) | Value::Text(_) => Err("a number is due".to_owned()),
    }
}

fn moment(value: Value) -> Result<i32, String> {
    match value {
        Value::Date(day) => Ok(day),
        _ => Err("a day is due".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rng::Rng;
    use super::*;
    use crate::tables::RuleFiles;

    fn value(text: &str) -> Result<String, String> {
        let files = RuleFiles::embedded();
        let mut words = Words::new(&files);
        let expr = parse(&mut words, text)?;
        let mut state = State { facts: vec![Value::None; words.fact_count()], rng: Rng::new(1, 1) };
        let sex = words.fact("sex");
        state.facts.resize(words.fact_count(), Value::None);
        state.facts[sex] = Value::Int(2);
        let value = eval(&words, &expr, &mut state)?;
        Ok(words.show(value))
    }

    #[test]
    fn conditions() {
        for (text, expected) in [
            ("sex=1|2", "1"),
            ("sex!=1|2", "0"),
            ("sex=2 & !absent", "1"),
            ("absent=absent", "0"),
            ("absent!=1", "1"),
            ("sex=1 or sex=2 & 1", "1"),
            ("'A10'<'B01'", "1"),
            ("(sex=1 or 1) & 0", "0"),
            ("absent<1", "0"),
        ] {
            assert_eq!(value(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn values() {
        for (text, expected) in [
            ("7+2*3-10/2", "8"),
            ("day(2019, 3, 31)+1", "2019-04-01"),
            ("age(day(2000,5,5), day(2018,5,4))", "17"),
            ("years(day(2000,2,29), 18)", "2018-02-28"),
            ("if(sex=2, 'ж', 'м')", "ж"),
            ("rand(4,4)", "4"),
            ("chance(0)", "0"),
            ("chance(100)", "1"),
        ] {
            assert_eq!(value(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for text in ["1 +", "no_such(1)", "(1", "1 2", "'open", "a < 1|2", "1 & ;", "age(1)", "1/0", "'a'+1", "digits(3, 1)"] {
            assert!(value(text).is_err(), "{text}");
        }
    }
}
