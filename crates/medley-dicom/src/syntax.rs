//! Transfer syntaxes: how the data set is encoded, and which decoder reads the pixels.

use crate::error::DicomError;

/// Encoding of the data set around the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataSet {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
    /// Explicit VR little endian, compressed as a whole.
    Deflated,
}

/// How pixels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// As they are, one frame after the other.
    Native,
    /// As they are, each frame in fragments of its own.
    EncapsulatedNative,
    /// Each frame deflated (RFC 1951).
    DeflatedFrame,
    Rle,
    /// ITU-T T.81: DCT of 8 and 12 bits, and lossless.
    Jpeg,
    JpegLs,
    Jpeg2000,
    JpegXl,
    /// Known by name, without a decoder.
    None,
}

/// One transfer syntax of the standard (PS3.6 annex A).
#[derive(Debug, PartialEq, Eq)]
pub struct TransferSyntax {
    /// Unique identifier.
    pub uid: &'static str,
    /// Name in the standard.
    pub name: &'static str,
    pub(crate) data_set: DataSet,
    pub(crate) codec: Codec,
}

const fn native(uid: &'static str, name: &'static str, data_set: DataSet) -> TransferSyntax {
    TransferSyntax { uid, name, data_set, codec: Codec::Native }
}

const fn pixels(uid: &'static str, name: &'static str, codec: Codec) -> TransferSyntax {
    TransferSyntax { uid, name, data_set: DataSet::ExplicitLittle, codec }
}

/// All that are known by name, in the order of the standard.
pub static TRANSFER_SYNTAXES: [TransferSyntax; 33] = [
    native("1.2.840.10008.1.2", "Implicit VR Little Endian", DataSet::ImplicitLittle),
    native("1.2.840.10008.1.2.1", "Explicit VR Little Endian", DataSet::ExplicitLittle),
    pixels(
        "1.2.840.10008.1.2.1.98",
        "Encapsulated Uncompressed Explicit VR Little Endian",
        Codec::EncapsulatedNative,
    ),
    native("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", DataSet::Deflated),
    native("1.2.840.10008.1.2.2", "Explicit VR Big Endian", DataSet::ExplicitBig),
    pixels("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", Codec::Jpeg),
    pixels("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 and 4)", Codec::Jpeg),
    pixels("1.2.840.10008.1.2.4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", Codec::Jpeg),
    pixels(
        "1.2.840.10008.1.2.4.70",
        "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14, Selection Value 1)",
        Codec::Jpeg,
    ),
    pixels("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless Image Compression", Codec::JpegLs),
    pixels(
        "1.2.840.10008.1.2.4.81",
        "JPEG-LS Lossy (Near-Lossless) Image Compression",
        Codec::JpegLs,
    ),
    pixels(
        "1.2.840.10008.1.2.4.90",
        "JPEG 2000 Image Compression (Lossless Only)",
        Codec::Jpeg2000,
    ),
    pixels("1.2.840.10008.1.2.4.91", "JPEG 2000 Image Compression", Codec::Jpeg2000),
    pixels(
        "1.2.840.10008.1.2.4.92",
        "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)",
        Codec::None,
    ),
    pixels(
        "1.2.840.10008.1.2.4.93",
        "JPEG 2000 Part 2 Multi-component Image Compression",
        Codec::None,
    ),
    pixels("1.2.840.10008.1.2.4.94", "JPIP Referenced", Codec::None),
    pixels("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", Codec::None),
    pixels("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", Codec::None),
    pixels("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", Codec::None),
    pixels("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", Codec::None),
    pixels(
        "1.2.840.10008.1.2.4.103",
        "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1",
        Codec::None,
    ),
    pixels("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1", Codec::None),
    pixels("1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", Codec::None),
    pixels("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", Codec::JpegXl),
    pixels("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", Codec::JpegXl),
    pixels("1.2.840.10008.1.2.4.112", "JPEG XL", Codec::JpegXl),
    pixels(
        "1.2.840.10008.1.2.4.201",
        "High-Throughput JPEG 2000 Image Compression (Lossless Only)",
        Codec::Jpeg2000,
    ),
    pixels(
        "1.2.840.10008.1.2.4.202",
        "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)",
        Codec::Jpeg2000,
    ),
    pixels(
        "1.2.840.10008.1.2.4.203",
        "High-Throughput JPEG 2000 Image Compression",
        Codec::Jpeg2000,
    ),
    pixels("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", Codec::None),
    pixels("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", Codec::None),
    pixels("1.2.840.10008.1.2.5", "RLE Lossless", Codec::Rle),
    pixels("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", Codec::DeflatedFrame),
];

impl TransferSyntax {
    /// The syntax with this identifier.
    ///
    /// # Errors
    /// `UnsupportedSyntax` if it is not in the table.
    pub fn find(uid: &str) -> Result<&'static Self, DicomError> {
        TRANSFER_SYNTAXES
            .iter()
            .find(|syntax| syntax.uid == uid)
            .ok_or_else(|| DicomError::UnsupportedSyntax { uid: plain_uid(uid), name: "unknown" })
    }

    /// Whether frames of this syntax are decoded. All decoders are Rust: what holds for a machine's own code
    /// holds for WebAssembly.
    pub fn is_decoded(&self) -> bool {
        self.codec != Codec::None
    }

    /// What decodes it, for the documentation.
    pub fn decoder(&self) -> &'static str {
        match self.codec {
            Codec::Native | Codec::EncapsulatedNative => "own",
            Codec::DeflatedFrame => "flate2",
            Codec::Rle | Codec::JpegLs => "own",
            Codec::Jpeg => "8-bit DCT: zune-jpeg; 12-bit DCT and lossless: own",
            Codec::Jpeg2000 => "openjp2",
            Codec::JpegXl => "jxl-oxide",
            Codec::None => "none",
        }
    }
}

/// What of a text can be an identifier: digits and dots, 64 at most, so that nothing else gets into a message.
fn plain_uid(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_digit() || *c == '.').take(64).collect()
}

/// The table of transfer syntaxes as Markdown, as it stands in `docs/dicom.md`.
pub fn syntax_table() -> String {
    let mut text = String::from(
        "| Transfer syntax | UID | native | wasm | decoder |\n|---|---|---|---|---|\n",
    );
    for syntax in &TRANSFER_SYNTAXES {
        let mark = if syntax.is_decoded() { "yes" } else { "no" };
        let (name, uid, decoder) = (syntax.name, syntax.uid, syntax.decoder());
        text += &format!("| {name} | `{uid}` | {mark} | {mark} | {decoder} |\n");
    }
    text
}
