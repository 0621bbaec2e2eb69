//! How loud a stream is.

use std::cell::RefCell;

use web_sys::{AnalyserNode, AudioContext, MediaStreamAudioSourceNode};

use crate::Fault;
use crate::media::{Sort, Stream};

/// How many samples one reading looks at: 21 ms at 48 kHz.
const SAMPLES: u32 = 1_024;

thread_local! {
    /// One audio context for the page: browsers allow only a few.
    static CONTEXT: RefCell<Option<AudioContext>> = const { RefCell::new(None) };
}

/// The audio context of the page, made when first asked for.
pub(crate) fn context() -> Result<AudioContext, Fault> {
    CONTEXT.with_borrow_mut(|kept| match kept {
        Some(context) => Ok(context.clone()),
        None => {
            let context = AudioContext::new().map_err(Fault::thrown("Opening the audio output"))?;
            Ok(kept.insert(context).clone())
        }
    })
}

/// Measures how loud a stream is, until dropped. It plays nothing.
pub struct Meter {
    source: MediaStreamAudioSourceNode,
    analyser: AnalyserNode,
    samples: RefCell<Vec<f32>>,
}

impl Meter {
    /// Measures `stream`, which must have sound.
    ///
    /// # Errors
    ///
    /// When the stream has no sound or the browser cannot listen to it.
    pub fn new(stream: &Stream) -> Result<Self, Fault> {
        let what = "Measuring sound";
        if stream.track(Sort::Audio).is_none() {
            return Err(Fault::new(what, "the stream has none"));
        }
        let context = context()?;
        // Without a gesture the context sleeps; asking again once there was one wakes it.
        drop(context.resume());
        let fault = Fault::thrown(what);
        let source = context.create_media_stream_source(stream.raw()).map_err(&fault)?;
        let analyser = context.create_analyser().map_err(&fault)?;
        analyser.set_fft_size(SAMPLES);
        source.connect_with_audio_node(&analyser).map_err(&fault)?;
        Ok(Self { source, analyser, samples: RefCell::new(vec![0.0; SAMPLES as usize]) })
    }

    /// The loudness now, in decibels below full scale: 0 is the loudest, -100 is silence.
    #[must_use]
    pub fn level(&self) -> f32 {
        let mut samples = self.samples.borrow_mut();
        self.analyser.get_float_time_domain_data(&mut samples);
        let squares: f32 = samples.iter().map(|sample| sample * sample).sum();
        let mean = squares / samples.len() as f32;
        (10.0 * mean.log10()).clamp(-100.0, 0.0)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        // Disconnecting what is not connected is as good.
        self.source.disconnect().ok();
    }
}
