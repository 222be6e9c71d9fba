//! The differential fuzzer on the page: how long it ran, what it found, what is meant and what was mended.
//!
//! Decides the sums and the tables; everything is read from the log of sessions, the log of telling all found stories again,
//! the catalogue and the kept stories.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use segue_drill::differ::{Kept, Log, Session, catalogue};

/// Below the workspace.
const FOLDER: &str = "crates/segue-drill/tests/stories";
/// Sessions at the end of the log that tell how it is now.
const RECENT: usize = 2;

/// # Errors
/// A file that cannot be read.
pub(super) fn section(root: &Path) -> Result<String, String> {
    let folder = root.join(FOLDER);
    let log: Log = read(&folder.join("sessions.log"))?;
    let again: Log = read(&folder.join("again.log"))?;
    let kept = kept(&folder)?;
    let (total, now) = (log.total(), again.total());
    let recent = Log { sessions: log.sessions[log.sessions.len().saturating_sub(RECENT)..].to_vec() }.total();
    let mut text = "\n## Random stories, told to Linux and to Segue\n\n".to_owned();
    text += &format!(
        "`cargo xtask differ run` has told {} stories in {} of telling. {}\n{}\n\n",
        total.stories,
        duration(total.seconds),
        sentence("In all of them, with everything that was found and mended on the way", &total),
        sentence(&format!("In the last {} sessions", RECENT.min(log.sessions.len())), &recent),
    );
    text += &format!(
        "Of each class of difference that nothing explained when it was found (what differs, at which step, in which state), one \
         story was told again (`cargo xtask differ again --each 1`): of {} stories {} agree now, {} differ on purpose, {} are \
         open; of {} nothing can be said.\n\n",
        now.stories,
        now.agreed(),
        now.explained(),
        now.unexplained(),
        now.noise
    );
    text += "### Differences that are meant\n\n| difference | stories | why | where it is said | kept story |\n|---|---|---|---|---|\n";
    for intended in catalogue::INTENDED {
        let count = total.intended.get(intended.name).map_or(0, |class| class.count);
        let story = kept.iter().find(|(_, kept)| kept.intended == Some(intended)).map_or("", |(name, _)| name.as_str());
        text +=
            &format!("| {} | {count} | {} | {} | `{story}` |\n", intended.name, intended.reason, intended.reference);
    }
    text += "\n### What was found\n\n| what differs | stories | classes | open now |\n|---|---|---|---|\n";
    for (aspect, found) in by_aspect(&total, &now) {
        text += &format!("| {aspect} | {} | {} | {} |\n", found.stories, found.classes, found.open);
    }
    let mended = kept.iter().filter(|(_, kept)| kept.intended.is_none()).count();
    text += &format!(
        "\n{mended} mended stories are kept with Linux's answers in `{FOLDER}` and told again by `segue-drill::stories`.\n\n"
    );
    Ok(text)
}

fn read(path: &Path) -> Result<Log, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.parse().map_err(|error| format!("{}: {error}", path.display()))
}

/// The kept stories by their names, in order.
fn kept(folder: &Path) -> Result<BTreeMap<String, Kept>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut stories = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_none_or(|extension| extension != "story") {
            continue;
        }
        let wrong = |error: String| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        stories.insert(name, Kept::read(&text).map_err(wrong)?);
    }
    Ok(stories)
}

/// What was found of one aspect.
#[derive(Default)]
struct Found {
    stories: u64,
    classes: u64,
    /// Classes whose story still differs, told again.
    open: u64,
}

/// What was found, by what differs first; `now` is what came of telling a story of each class again.
fn by_aspect<'a>(total: &'a Session, now: &Session) -> BTreeMap<&'a str, Found> {
    let open: BTreeSet<u64> = now.open.values().flat_map(|class| class.seeds.iter().copied()).collect();
    let mut aspects: BTreeMap<&str, Found> = BTreeMap::new();
    for (name, class) in &total.open {
        let found = aspects.entry(name.split(" | ").next().unwrap_or(name)).or_default();
        found.stories += class.count;
        found.classes += 1;
        found.open += u64::from(class.seeds.first().is_some_and(|seed| open.contains(seed)));
    }
    aspects
}

fn duration(seconds: u64) -> String {
    format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60)
}

fn sentence(which: &str, session: &Session) -> String {
    let counted = session.stories.saturating_sub(session.noise).max(1);
    // In tenths of a per cent, cut off: what is not reached is not claimed.
    let share = |part: u64| part * 1000 / counted;
    let (agreed, explained) = (share(session.agreed()), share(session.agreed() + session.explained()));
    format!(
        "{which}: {}.{} % agree wholly, {}.{} % with those that differ on purpose; of {} stories nothing can be said (a timer at \
         the edge of a step, a busy machine).",
        agreed / 10,
        agreed % 10,
        explained / 10,
        explained % 10,
        session.noise
    )
}
