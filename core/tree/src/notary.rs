//! Who vouches for what an author wrote: the seam at which signatures are plugged in.

use std::fmt;

use wire::NodeId;

/// A hash over live entries, as SHA-256 gives it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Root(pub [u8; 32]);

/// What a notary attaches to a statement: 64 bytes that the tree carries and does not read, a signature in practice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Proof(pub [u8; 64]);

/// What an author states with each batch of writes: that right after write `seq` its live entries are these and no
/// others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Whose entries.
    pub author: NodeId,
    /// The number of the write.
    pub seq: u64,
    /// Over the entries that outlive the author.
    pub lasting: Root,
    /// Over those that pass away with it.
    pub passing: Root,
}

impl Statement {
    /// What is to be signed. A notary puts the conference, and a tag of its own, in front.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 80] {
        let mut bytes = [0; 80];
        bytes[..8].copy_from_slice(&self.author.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.seq.to_le_bytes());
        bytes[16..48].copy_from_slice(&self.lasting.0);
        bytes[48..].copy_from_slice(&self.passing.0);
        bytes
    }
}

/// A statement that is worked out only when it is asked for, since that costs hashing.
pub struct Claim<'a> {
    author: NodeId,
    seq: u64,
    roots: &'a mut dyn FnMut() -> (Root, Root),
}

impl<'a> Claim<'a> {
    /// A claim whose roots, lasting and passing, `roots` works out.
    pub fn new(author: NodeId, seq: u64, roots: &'a mut dyn FnMut() -> (Root, Root)) -> Self {
        Self { author, seq, roots }
    }

    /// Whose entries.
    #[must_use]
    pub fn author(&self) -> NodeId {
        self.author
    }

    /// The number of the write.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The statement itself.
    pub fn statement(&mut self) -> Statement {
        let (lasting, passing) = (self.roots)();
        Statement { author: self.author, seq: self.seq, lasting, passing }
    }
}

/// Signs what we write and checks what others wrote. The tree itself knows no keys.
pub trait Notary {
    /// Whether the key of `author` is known. What somebody unknown wrote is not looked at; it is asked for again after
    /// [`Input::Known`](crate::Input::Known).
    fn knows(&self, author: NodeId) -> bool;

    /// Vouches for our own claim. `None` when this notary signs nothing; then it must not ask for proofs either.
    fn sign(&mut self, claim: &mut Claim<'_>) -> Option<Proof>;

    /// Whether `claim.author()`, who is known, has stated `claim.statement()`.
    fn check(&mut self, claim: &mut Claim<'_>, proof: Option<&Proof>) -> bool;
}

/// A notary that signs nothing and believes everything: whoever shares such a tree trusts everybody in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsigned;

impl Notary for Unsigned {
    fn knows(&self, _: NodeId) -> bool {
        true
    }

    fn sign(&mut self, _: &mut Claim<'_>) -> Option<Proof> {
        None
    }

    fn check(&mut self, _: &mut Claim<'_>, _: Option<&Proof>) -> bool {
        true
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proof({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claim({} at {})", self.author, self.seq)
    }
}
