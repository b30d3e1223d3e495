//! `puomp config`: which settings are in force, and where each comes from.

use std::path::PathBuf;

use clap::Args;

use super::flags::{ColorArg, ControlArgs, Shape};
use super::out::{self, print};
use super::session::Session;
use super::settings::{self, Name, Origin, Valued};
use super::{Exit, Failure, control};
use crate::api::config::{Setting, Settings};
use crate::texts::layout::columns;
use crate::texts::{Key, Lang};

/// Arguments of `puomp config`.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// The path where the search for the configuration file begins.
    #[arg(value_name = "PATH")]
    pub(super) path: Option<PathBuf>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

impl ConfigArgs {
    /// Prints what is in force and where each value comes from.
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let ui = session.ui;
        let settings = all(session)?;
        match self.format {
            Shape::Json => out::json(&Settings { settings })?,
            Shape::Human => {
                let head: Vec<String> = ui.texts.get(Key::ConfigHead, ui.lang).split('|').map(str::to_owned).collect();
                let row = |s: Setting| vec![s.key, if s.value.is_empty() { "—".to_owned() } else { s.value }, s.origin];
                print(&columns(&std::iter::once(head).chain(settings.into_iter().map(row)).collect::<Vec<_>>()))?;
            }
        }
        Ok(Exit::Done)
    }
}

/// The settings that name findings, then all others.
fn all(session: &Session<'_>) -> Result<Vec<Setting>, Failure> {
    let Session { settings, ui, .. } = *session;
    let built_in = ui.texts.get(Key::ConfigBuiltIn, ui.lang);
    let setting = |key: &str, value: String, origin: &Origin| Setting { key: key.to_owned(), value, origin: origin.name().unwrap_or(built_in).to_owned() };
    let wishes = control::resolve(&ControlArgs::default(), session)?;
    let mut told: Vec<Setting> = wishes.told.into_iter().map(|(key, said)| setting(&key, said.value, &said.origin)).collect();
    let mut tell = |name: Name, said: Option<Valued<String>>| {
        let Valued { value, origin } = said.unwrap_or(Valued { value: String::new(), origin: Origin::Default });
        told.push(setting(name.key, value, &origin));
    };
    let path = |said: Valued<PathBuf>| said.map(|path| path.display().to_string());
    tell(settings::CONFIG, settings.config());
    tell(settings::RULES, settings.rules().map(path));
    tell(settings::BOOKS, settings.books().map(path));
    tell(settings::PROTOCOL_DIR, settings.protocol_dir(None).map(path));
    // The address may hold a password.
    let masked = |url: String| url.split_once('@').map(|(_, host)| format!("…@{host}")).unwrap_or(url);
    tell(settings::STORE, settings.store(None).map(|said| said.map(masked)));
    tell(settings::ROLE, settings.role(None));
    tell(settings::LIMIT, Some(settings.limit(None).map(|limit| limit.to_string())));
    let lang = |lang| if lang == Lang::Ru { "ru" } else { "en" }.to_owned();
    tell(settings::LANG, Some(settings.lang().clone().map(lang)));
    tell(settings::TIME_ZONE, Some(settings.zone_name().unwrap_or_else(|| Valued { value: zone(session), origin: Origin::Default })));
    let color = |color| match color {
        ColorArg::Auto => "auto",
        ColorArg::Always => "always",
        ColorArg::Never => "never",
    };
    tell(settings::COLOR, Some(settings.color().map(|c| color(c).to_owned())));
    let threads = settings.threads().unwrap_or_else(|| Valued { value: rayon::current_num_threads().try_into().unwrap_or(u16::MAX), origin: Origin::Default });
    tell(settings::THREADS, Some(threads.map(|n| n.to_string())));
    Ok(told)
}

/// The name of the system's time zone, or its offset from UTC now if the system gives no name.
fn zone(session: &Session<'_>) -> String {
    let zone = session.ui.zone();
    zone.iana_name().map_or_else(|| session.moment().offset_in(zone), str::to_owned)
}
