//! The elements that play pictures and sound, each with the stream it is there for.

use platform::media::{self, Played, Stream};
use ui::stage::{Event, Source};
use web_sys::HtmlVideoElement;
use wire::Map;

use super::with;

/// The elements on the page.
#[derive(Default)]
pub(super) struct Videos {
    all: Map<Source, Video>,
}

struct Video {
    element: HtmlVideoElement,
    is_silent: bool,
    /// Whether the browser holds its sound back.
    is_hushed: bool,
}

impl Videos {
    /// An element was drawn for `source`.
    pub(super) fn add(&mut self, source: Source, element: HtmlVideoElement, is_silent: bool) {
        self.all.insert(source, Video { element, is_silent, is_hushed: false });
    }

    /// The element for `source` was taken away.
    pub(super) fn remove(&mut self, source: Source) {
        if let Some(video) = self.all.remove(&source) {
            media::put(&video.element, None);
        }
    }

    /// Gives each element its stream. What plays already is left alone, so nothing flickers.
    pub(super) fn show(&self, stream: impl Fn(Source) -> Option<Stream>) {
        for (&source, video) in &self.all {
            let stream = stream(source);
            if media::put(&video.element, stream.as_ref()) && stream.is_some() {
                play(source, video);
            }
        }
    }

    /// The person touched the page: what was held back may be heard now.
    pub(super) fn retry(&self) {
        for (&source, video) in self.all.iter().filter(|(_, video)| video.is_hushed) {
            play(source, video);
        }
    }
}

fn play(source: Source, video: &Video) {
    let played = media::play(video.element.clone(), video.is_silent);
    platform::spawn(async move {
        let is_hushed = match played.await {
            Played::Loud => false,
            Played::Muted | Played::Not => true,
        };
        with(|shell| {
            if let Some(video) = shell.videos.all.get_mut(&source) {
                video.is_hushed = is_hushed;
            }
            let is_any = shell.videos.all.values().any(|video| video.is_hushed);
            shell.event(Event::Hushed(is_any));
        });
    });
}
