//! Parts of a delta, cut to the size of messages.

use crate::words::{Gone, Name, Op, Part, What};

/// About how many bytes a part takes on the wire.
pub(crate) fn part_bytes(part: &Part) -> usize {
    let gone = match &part.gone {
        Gone::Log(log) => log.iter().map(|(_, path)| path.as_str().len() + 8).sum(),
        Gone::AllBut(runs) => runs.len() * 8,
    };
    32 + gone + part.live.iter().map(op_bytes).sum::<usize>()
}

fn op_bytes(op: &Op) -> usize {
    let name = match &op.name {
        Name::Path(path) | Name::Added(path) => path.as_str().len(),
    };
    let json = match &op.what {
        What::Set { json, .. } => json.len() + 10,
        What::Hide | What::Unset => 0,
    };
    24 + name + json
}

/// Cuts a part so that each piece is below `bytes_max`, or is a single write. What is gone goes with the last.
pub(crate) fn pieces(part: Part, bytes_max: usize) -> Vec<Part> {
    let Part { author, from, upto, live, gone, pruned, .. } = part;
    let mut pieces: Vec<Part> = Vec::new();
    let mut bytes = usize::MAX;
    for op in live {
        let more = op_bytes(&op);
        if bytes.saturating_add(more) > bytes_max {
            let gone = Gone::Log(Vec::new());
            pieces.push(Part { author, from, upto, live: Vec::new(), gone, pruned, more: true });
            bytes = 32;
        }
        bytes += more;
        pieces.last_mut().expect("a piece was just begun").live.push(op);
    }
    match pieces.last_mut() {
        Some(last) => (last.gone, last.more) = (gone, false),
        None => {
            pieces.push(Part { author, from, upto, live: Vec::new(), gone, pruned, more: false });
        }
    }
    pieces
}
