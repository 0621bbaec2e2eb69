//! What a page sees and hears of others: decoded frames that change, sound that has energy.

use serde_json::Value;

use crate::page::Page;
use crate::wait::{PATIENCE, eventually, try_within};

/// The sum over all that a page receives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Media {
    /// Pictures decoded so far.
    pub frames: u64,
    /// Energy of the sound decoded so far; grows only while there is sound.
    pub energy: f64,
    /// How many pictures of others change, by their pixels.
    pub moving: usize,
}

const WITNESSES: &str = "const frames = (function all(view) {
    const inner = [...view.document.querySelectorAll('iframe')].map((frame) => frame.contentWindow).filter(Boolean);
    return [view, ...inner.flatMap(all)];
})(window);";

const RECEIVED: &str = "(async () => {
    WITNESSES
    let pictures = 0, energy = 0;
    for (const peer of frames.flatMap((view) => view.hulloWitness ? view.hulloWitness.peers : [])) {
        if (peer.connectionState === 'closed') continue;
        for (const report of (await peer.getStats()).values()) {
            if (report.type !== 'inbound-rtp') continue;
            if (report.kind === 'video') pictures += report.framesDecoded || 0;
            if (report.kind === 'audio') energy += report.totalAudioEnergy || 0;
        }
    }
    return { pictures, energy };
})()";

/// A sum over the pixels of each picture that is not one's own.
const PIXELS: &str = "(() => {
    WITNESSES
    const videos = frames.flatMap((view) => [...view.document.querySelectorAll('video')]);
    return videos.filter((video) => !video.muted && video.videoWidth && video.checkVisibility()).map((video) => {
        const canvas = new OffscreenCanvas(64, 48), pen = canvas.getContext('2d');
        pen.drawImage(video, 0, 0, 64, 48);
        return pen.getImageData(0, 0, 64, 48).data.reduce((sum, byte, at) => (sum * 31 + byte + at) % 4294967291, 7);
    });
})()";

impl Page {
    /// What it has received so far.
    #[must_use]
    pub fn media(&self) -> Media {
        let received = self.evaluate(&RECEIVED.replace("WITNESSES", WITNESSES)).unwrap_or_default();
        let frames = received["pictures"].as_u64().unwrap_or_default();
        Media { frames, energy: received["energy"].as_f64().unwrap_or_default(), moving: 0 }
    }

    /// Waits until it sees that many others move, decodes pictures of them, and hears something.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn sees_and_hears(&self, others: usize) {
        self.sees(others);
        self.hears();
    }

    /// Waits until that many pictures of others change.
    ///
    /// # Panics
    /// When they do not.
    #[track_caller]
    pub fn sees(&self, others: usize) {
        let before = self.media();
        let first = self.pixels();
        let mut most = Media::default();
        let seen = try_within(PATIENCE, || {
            most = self.media();
            let now = self.pixels();
            most.moving = now.len() - now.iter().filter(|pixels| first.contains(pixels)).count();
            (most.moving >= others && most.frames > before.frames).then_some(())
        });
        assert!(
            seen.is_some(),
            "{others} moving pictures expected, {before:?} became {most:?}: {}",
            self.text()
        );
    }

    /// Waits for a sound.
    ///
    /// # Panics
    /// When all is quiet.
    #[track_caller]
    pub fn hears(&self) {
        let before = self.media();
        let heard = try_within(PATIENCE, || (self.media().energy > before.energy).then_some(()));
        assert!(heard.is_some(), "silence: {before:?} became {:?}", self.media());
    }

    /// The moment of the Answer in this page, in milliseconds of the epoch.
    #[must_use]
    pub fn answered_at(&self) -> f64 {
        self.moment("answered")
    }

    /// The moment of the first picture of somebody else.
    #[must_use]
    pub fn pictured_at(&self) -> f64 {
        self.moment("pictured")
    }

    fn moment(&self, name: &str) -> f64 {
        let ask = format!(
            "(() => {{ {WITNESSES} return Math.max(...frames.map((view) => view.hulloWitness ? view.hulloWitness.{name} : 0)); }})()"
        );
        eventually(name, || {
            self.evaluate(&ask).ok().and_then(|at| at.as_f64()).filter(|at| *at > 0.0)
        })
    }

    fn pixels(&self) -> Vec<u64> {
        let sums = self.evaluate(&PIXELS.replace("WITNESSES", WITNESSES)).unwrap_or_default();
        sums.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
    }
}
