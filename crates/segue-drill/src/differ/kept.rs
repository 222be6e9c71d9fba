//! Stories that are kept as tests, with what Linux answered when they were recorded.
//!
//! Decides the file's form and when a kept story is as it should be: Segue answers as Linux did, or differs as the file says
//! it is meant to.
use super::catalogue::{self, Intended};
use super::compare::compare;
use super::play::{Played, play};
use super::story::Story;
use super::{answers, segue};

const SEED: &str = "// seed ";
const INTENDED: &str = "// intended: ";

/// A story with Linux's answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Where it was found.
    pub seed: u64,
    /// What is told.
    pub story: Story,
    /// What Linux answered.
    pub linux: Played,
    /// The entry of the catalogue that explains the difference; `None`: there is none.
    pub intended: Option<&'static Intended>,
}

impl Kept {
    /// The story of a file.
    ///
    /// # Errors
    /// What is wrong, and in which line.
    pub fn read(text: &str) -> Result<Kept, String> {
        let (story, linux) = answers::read(text)?;
        let after = |mark: &str| text.lines().find_map(|line| line.strip_prefix(mark)).map(str::trim);
        let seed = after(SEED).and_then(|seed| seed.parse().ok()).ok_or("a line `// seed N` is missing")?;
        let intended = match after(INTENDED) {
            Some(name) => Some(catalogue::intended(name).ok_or_else(|| format!("the catalogue has no `{name}`"))?),
            None => None,
        };
        Ok(Kept { seed, story, linux, intended })
    }

    /// The file.
    pub fn write(&self) -> String {
        let intended = self.intended.map_or(String::new(), |intended| format!("{INTENDED}{}\n", intended.name));
        format!("{SEED}{}\n{intended}{}", self.seed, answers::write(&self.story, &self.linux))
    }

    /// Tell the story to Segue and compare.
    ///
    /// # Errors
    /// What Segue does otherwise than it should, or that a difference that was meant is gone.
    pub fn check(&self) -> Result<(), String> {
        let told = segue(&[]).and_then(|mut host| play(&mut host, &self.story, 1, Some(&self.linux)));
        let ours = told.map_err(|error| error.0)?;
        match (compare(&self.story, &self.linux, &ours), self.intended) {
            (None, None) => Ok(()),
            (Some(found), Some(meant)) if found.intended == Some(meant) => Ok(()),
            (Some(found), None) => Err(found.to_string()),
            (Some(found), Some(meant)) => Err(format!("it should differ by `{}`, and differs by {found}", meant.name)),
            (None, Some(meant)) => Err(format!("it agrees now: take `{INTENDED}{}` off", meant.name)),
        }
    }

    /// Compare what a kernel answers now with what was recorded.
    ///
    /// # Errors
    /// What has changed.
    pub fn check_kernel(&self, now: &Played) -> Result<(), String> {
        match compare(&self.story, &self.linux, now) {
            None => Ok(()),
            Some(found) => Err(found.to_string().replace("segue:", "linux now:")),
        }
    }
}
