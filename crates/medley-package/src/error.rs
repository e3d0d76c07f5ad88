//! What can be wrong with a package. Every variant says where, what was expected and what was
//! found, and its text ends with what to do.

use safetensors::SafeTensorError;
use thiserror::Error;

/// Why a package was not read or not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PackageError {
    /// A file is shorter or longer than the manifest or its own header says.
    #[error(
        "{file}: expected {expected} bytes, found {found}; the file is incomplete or not the one \
         meant: fetch or export it again"
    )]
    Length {
        /// The file or shard.
        file: String,
        /// Bytes that should be there.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },

    /// The bytes are not those of which the manifest holds the digest.
    #[error(
        "{file}: expected SHA-256 {expected}, found {found}; the file was changed or damaged: \
         fetch or export it again"
    )]
    Digest {
        /// The file or shard.
        file: String,
        /// The manifest's digest.
        expected: String,
        /// The bytes' digest.
        found: String,
    },

    /// Something is larger than a reader takes.
    #[error("{what}: at most {limit} are accepted, found {found}; this is no package of Medley")]
    Limit {
        /// What is too large, with its unit.
        what: String,
        /// The most that is accepted.
        limit: u64,
        /// What was found.
        found: u64,
    },

    /// The safetensors container is malformed.
    #[error(
        "{file}: expected a safetensors file, found: {source}; fetch or export the package again"
    )]
    Container {
        /// The file.
        file: String,
        /// What the reader of the container says.
        source: SafeTensorError,
    },

    /// A safetensors file without the metadata of a package.
    #[error(
        "{file}: expected the metadata key \"medley\", found none; it is a safetensors file, but \
         no package of Medley: import it first (`medley import`)"
    )]
    NotAPackage {
        /// The file.
        file: String,
    },

    /// JSON that does not parse.
    #[error("{file}: expected {expected} as JSON, found: {source}; fetch or export it again")]
    Json {
        /// The file, and where in it.
        file: String,
        /// The type that was being read.
        expected: &'static str,
        /// What the parser says, with line and column.
        source: serde_json::Error,
    },

    /// A format that this version of Medley does not know.
    #[error(
        "{file}: expected format version {expected}, found {found}; use the version of Medley \
         that wrote it, or export it again"
    )]
    Version {
        /// The file.
        file: String,
        /// The version that is read here.
        expected: u32,
        /// The version found.
        found: u64,
    },

    /// A field of the metadata or manifest with a value that cannot be.
    #[error("{file}: {field}: expected {expected}, found {found}; correct it and export again")]
    Field {
        /// The file.
        file: String,
        /// The field's path, as `tasks[2].classes`.
        field: String,
        /// What is allowed.
        expected: String,
        /// What is there.
        found: String,
    },

    /// Two things of one name.
    #[error("{file}: {what} \"{name}\" appears twice, expected once; rename one and export again")]
    Duplicate {
        /// The file.
        file: String,
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
    },

    /// A tensor that must be there is not.
    #[error("tensor {name}: expected because of {because}, found none; export the package again")]
    MissingTensor {
        /// The tensor that is missing.
        name: String,
        /// What asks for it.
        because: String,
    },

    /// A tensor of a number type that packages do not hold.
    #[error("tensor {name}: expected {expected}, found {found}; export the package again")]
    Dtype {
        /// The tensor.
        name: String,
        /// The types allowed.
        expected: &'static str,
        /// The type found.
        found: String,
    },

    /// A tensor of the wrong shape, or with another number of values than its shape says.
    #[error("tensor {name}: expected {expected}, found {found}; export the package again")]
    Shape {
        /// The tensor.
        name: String,
        /// The shape or number of values expected.
        expected: String,
        /// The shape or number of values found.
        found: String,
    },

    /// A tensor with values that no weight has.
    #[error(
        "tensor {name}: expected {expected}, found {found} at index {index}; train or export it \
         again"
    )]
    Value {
        /// The tensor.
        name: String,
        /// The values allowed.
        expected: &'static str,
        /// The first value that is not.
        found: f32,
        /// Where it is, in row-major order.
        index: usize,
    },

    /// A path in the manifest that is more than the name of a file in the manifest's own folder.
    #[error(
        "{file}: expected the plain name of a file beside the manifest, found path {path:?}; do \
         not use this package"
    )]
    UnsafePath {
        /// The manifest.
        file: String,
        /// The path found.
        path: String,
    },

    /// Another number of shards than the manifest lists.
    #[error("{file}: expected {expected} shards, found {found}; pass them all, in their order")]
    ShardCount {
        /// The whole file.
        file: String,
        /// Shards listed.
        expected: usize,
        /// Shards given, or the number asked for.
        found: usize,
    },

    /// The file system refused.
    #[error("{path}: {action} failed: {source}; check that the path exists and may be used")]
    Io {
        /// The path.
        path: String,
        /// What was tried.
        action: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
}
