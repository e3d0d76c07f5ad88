//! The one file of a package: a safetensors container with Medley's metadata in its header.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use safetensors::tensor::Metadata as Info;
use safetensors::{Dtype, SafeTensorError, View};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::check::check_version;
use crate::error::PackageError;
use crate::file::{FileBytes, bytes};
use crate::limits::{MAX_HEADER_BYTES, MAX_PACKAGE_BYTES, MAX_TENSORS, SIDE_MULTIPLE};
use crate::manifest::MODEL_FILE;
use crate::metadata::Metadata;
use crate::tensor::{PackedTensor, check_shape, scale_name};

/// Name of the tensor that a device is tested with, `[1, 3, h, w]`, RGB, 0..1.
pub const SELF_TEST_INPUT: &str = "self_test.input";

/// What precedes the task in the name of the tensor that holds its expected self-test output.
pub const SELF_TEST_OUTPUT: &str = "self_test.output.";

/// The header's key under which the metadata is stored, as JSON.
const METADATA_KEY: &str = "medley";

/// The length of the header stands in the first bytes, little-endian.
const LENGTH_BYTES: usize = 8;

/// A model as it is handed on: what it is, and its tensors by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// Everything but the tensors.
    pub metadata: Metadata,
    /// Weights by module path, and the self-test.
    pub tensors: BTreeMap<String, PackedTensor>,
}

impl Package {
    /// The package as one safetensors file. Equal packages give equal bytes.
    ///
    /// # Errors
    ///
    /// Everything that [`from_bytes`](Self::from_bytes) would refuse is refused here first.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackageError> {
        self.check()?;
        let json = serde_json::to_string(&self.metadata).map_err(|source| PackageError::Json {
            file: MODEL_FILE.into(),
            expected: "metadata",
            source,
        })?;
        let mut stored = BTreeMap::new();
        for (name, tensor) in &self.tensors {
            let (scale, weight) = Stored::of(tensor);
            let scale = scale.map(|scale| (scale_name(name), scale));
            for (name, tensor) in [(name.clone(), weight)].into_iter().chain(scale) {
                if stored.contains_key(&name) {
                    return Err(duplicate_tensor(&name));
                }
                stored.insert(name, tensor);
            }
        }
        let bytes =
            safetensors::serialize(stored, Some(HashMap::from([(METADATA_KEY.to_string(), json)])))
                .map_err(container)?;
        // The limits of the reader hold for the writer too: no file that cannot be read back.
        header(&bytes[..])?;
        Ok(bytes)
    }

    /// [`Self::read`] of bytes in memory.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PackageError> {
        Self::read(bytes)
    }

    /// Reads one safetensors file, each tensor straight to where it stays; the bytes need not be trusted.
    ///
    /// # Errors
    ///
    /// When the container, the metadata or a tensor is not as described in the
    /// [crate's documentation](crate).
    pub fn read(file: &(impl FileBytes + ?Sized)) -> Result<Self, PackageError> {
        let header = header(file)?;
        check_header_keys(&header)?;
        let info: Info = serde_json::from_slice(&header)
            .map_err(|error| container(SafeTensorError::InvalidHeaderDeserialization(error)))?;
        let start = LENGTH_BYTES + header.len();
        if start + info.data_len() != file.length() {
            return Err(container(SafeTensorError::MetadataIncompleteBuffer));
        }
        let json = info
            .metadata()
            .as_ref()
            .and_then(|map| map.get(METADATA_KEY))
            .ok_or_else(|| PackageError::NotAPackage { file: MODEL_FILE.into() })?;
        check_version(MODEL_FILE, json.as_bytes())?;
        let metadata = serde_json::from_str(json).map_err(|source| PackageError::Json {
            file: MODEL_FILE.into(),
            expected: "metadata",
            source,
        })?;
        let package = Self { metadata, tensors: read_tensors(file, &info, start)? };
        package.check()?;
        Ok(package)
    }

    /// Whether the parts are right in themselves and fit together.
    fn check(&self) -> Result<(), PackageError> {
        self.metadata.check()?;
        check_tensor_count(self.tensors.len())?;
        for (name, tensor) in &self.tensors {
            tensor.check(name)?;
        }
        self.check_self_test()
    }

    /// Whether the self-test is there as a whole, or not at all.
    fn check_self_test(&self) -> Result<(), PackageError> {
        let mut expected = HashSet::new();
        if self.metadata.self_test.is_some() {
            let side = SIDE_MULTIPLE as usize;
            let input = self.float(SELF_TEST_INPUT, "the self-test")?;
            match input[..] {
                [1, 3, h, w] if h % side == 0 && w % side == 0 => {}
                _ => {
                    return Err(PackageError::Shape {
                        name: SELF_TEST_INPUT.into(),
                        expected: format!("[1, 3, h, w], h and w multiples of {side}"),
                        found: format!("{input:?}"),
                    });
                }
            }
            expected.insert(SELF_TEST_INPUT.to_string());
            for task in &self.metadata.tasks {
                let name = format!("{SELF_TEST_OUTPUT}{}", task.name);
                self.float(&name, &format!("the self-test of task {}", task.name))?;
                expected.insert(name);
            }
        }
        match self.tensors.keys().find(|n| n.starts_with("self_test.") && !expected.contains(*n)) {
            None => Ok(()),
            Some(stray) => Err(PackageError::Field {
                file: MODEL_FILE.into(),
                field: "self_test".into(),
                expected: "tensors self_test.* only for a stated self-test and its tasks".into(),
                found: stray.clone(),
            }),
        }
    }

    /// The shape of a tensor that must be there and must not be quantized.
    fn float(&self, name: &str, because: &str) -> Result<&[usize], PackageError> {
        match self.tensors.get(name) {
            Some(PackedTensor::Float { shape, .. }) => Ok(shape),
            Some(PackedTensor::Int8 { .. }) => Err(PackageError::Dtype {
                name: name.into(),
                expected: "F32, as the self-test is not quantized",
                found: "I8".into(),
            }),
            None => Err(PackageError::MissingTensor { name: name.into(), because: because.into() }),
        }
    }
}

/// The header's JSON, when the bytes are as long as they must be to hold it.
fn header(file: &(impl FileBytes + ?Sized)) -> Result<Vec<u8>, PackageError> {
    let found = file.length() as u64;
    if found > MAX_PACKAGE_BYTES {
        return Err(PackageError::Limit {
            what: format!("{MODEL_FILE}: bytes"),
            limit: MAX_PACKAGE_BYTES,
            found,
        });
    }
    let length = |expected| PackageError::Length { file: MODEL_FILE.into(), expected, found };
    if found < LENGTH_BYTES as u64 {
        return Err(length(LENGTH_BYTES as u64));
    }
    let mut prefix = [0; LENGTH_BYTES];
    file.read(0, &mut prefix);
    let size = u64::from_le_bytes(prefix);
    if size > MAX_HEADER_BYTES {
        return Err(PackageError::Limit {
            what: format!("{MODEL_FILE}: bytes of the header"),
            limit: MAX_HEADER_BYTES,
            found: size,
        });
    }
    // At most MAX_HEADER_BYTES here, so neither the sum nor the cast can overflow.
    let end = LENGTH_BYTES as u64 + size;
    if found < end {
        return Err(length(end));
    }
    Ok(bytes(file, LENGTH_BYTES..end as usize))
}

/// Refuses too many tensors and names that appear twice, which a map would silently drop.
fn check_header_keys(header: &[u8]) -> Result<(), PackageError> {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = (usize, Option<String>);

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the header of a safetensors file")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let (mut seen, mut twice) = (HashSet::new(), None);
            while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                if let Some(key) = seen.replace(key) {
                    twice.get_or_insert(key);
                }
            }
            Ok((seen.len(), twice))
        }
    }
    let (count, twice) = serde_json::Deserializer::from_slice(header)
        .deserialize_map(Keys)
        .map_err(|source| PackageError::Json {
            file: MODEL_FILE.into(),
            expected: "the header of a safetensors file",
            source,
        })?;
    match twice {
        Some(name) => Err(duplicate_tensor(&name)),
        None => check_tensor_count(count),
    }
}

fn check_tensor_count(count: usize) -> Result<(), PackageError> {
    if count > MAX_TENSORS {
        return Err(PackageError::Limit {
            what: format!("{MODEL_FILE}: tensors"),
            limit: MAX_TENSORS as u64,
            found: count as u64,
        });
    }
    Ok(())
}

/// `start`: where the tensors' bytes begin.
fn read_tensors(
    file: &(impl FileBytes + ?Sized),
    info: &Info,
    start: usize,
) -> Result<BTreeMap<String, PackedTensor>, PackageError> {
    let mut tensors = BTreeMap::new();
    let mut floats = BTreeMap::new();
    for (name, tensor) in info.tensors() {
        let shape = tensor.shape.clone();
        check_shape(&name, &shape)?;
        // Within the file, whose length is that of header and tensors.
        let (from, to) = tensor.data_offsets;
        let bytes = || bytes(file, start + from..start + to);
        match tensor.dtype {
            Dtype::F32 => {
                floats.insert(name, (shape, read_f32(&bytes())));
            }
            Dtype::I8 => {
                // `scale` follows below, when every tensor has been seen.
                let data = bytemuck::allocation::cast_vec(bytes());
                tensors.insert(name, PackedTensor::Int8 { shape, data, scale: Vec::new() });
            }
            other => {
                return Err(PackageError::Dtype {
                    name,
                    expected: "F32 or I8",
                    found: other.to_string(),
                });
            }
        }
    }
    for (name, tensor) in &mut tensors {
        let PackedTensor::Int8 { shape, scale, .. } = tensor else { continue };
        let scale_name = scale_name(name);
        let Some((found, values)) = floats.remove(&scale_name) else {
            return Err(PackageError::MissingTensor {
                name: scale_name,
                because: format!("the I8 tensor {name}"),
            });
        };
        let expected = [shape.first().copied().unwrap_or(0)];
        if found != expected {
            return Err(PackageError::Shape {
                name: scale_name,
                expected: format!("{expected:?}, the first axis of {name} {shape:?}"),
                found: format!("{found:?}"),
            });
        }
        *scale = values;
    }
    tensors.extend(
        floats.into_iter().map(|(n, (shape, data))| (n, PackedTensor::Float { shape, data })),
    );
    Ok(tensors)
}

/// Little-endian, as safetensors stores numbers.
fn read_f32(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect()
}

/// A tensor on its way into the container, which asks for its parts in this form.
enum Stored<'a> {
    Float(Cow<'a, [usize]>, &'a [f32]),
    Int8(&'a [usize], &'a [i8]),
}

impl<'a> Stored<'a> {
    /// The factors, where there are some, and the values.
    fn of(tensor: &'a PackedTensor) -> (Option<Self>, Self) {
        match tensor {
            PackedTensor::Float { shape, data } => (None, Self::Float(shape.into(), data)),
            PackedTensor::Int8 { shape, data, scale } => {
                (Some(Self::Float(vec![scale.len()].into(), scale)), Self::Int8(shape, data))
            }
        }
    }
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            Self::Float(..) => Dtype::F32,
            Self::Int8(..) => Dtype::I8,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Float(shape, _) => shape,
            Self::Int8(shape, _) => shape,
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Float(_, data) => data.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Int8(_, data) => data.iter().map(|&value| value as u8).collect(),
        }
    }

    fn data_len(&self) -> usize {
        match self {
            Self::Float(_, data) => size_of_val(*data),
            Self::Int8(_, data) => data.len(),
        }
    }
}

fn container(source: SafeTensorError) -> PackageError {
    PackageError::Container { file: MODEL_FILE.into(), source }
}

fn duplicate_tensor(name: &str) -> PackageError {
    PackageError::Duplicate { file: MODEL_FILE.into(), what: "tensor", name: name.into() }
}

#[cfg(test)]
mod tests;
