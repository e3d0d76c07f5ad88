//! What the container takes, and what it refuses.

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use super::*;
use crate::metadata::SelfTestSpec;
use crate::testing::package;

/// The bytes of a container with this header and data.
fn raw(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// A container written by the safetensors crate alone, with valid metadata without self-test.
fn foreign(tensors: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
    let mut metadata = package().metadata;
    metadata.self_test = None;
    let json = serde_json::to_string(&metadata).unwrap();
    foreign_with(tensors, HashMap::from([("medley".to_string(), json)]))
}

fn foreign_with(
    tensors: &[(&str, Dtype, &[usize], &[u8])],
    metadata: HashMap<String, String>,
) -> Vec<u8> {
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        (*name, TensorView::new(*dtype, shape.to_vec(), data).unwrap())
    });
    safetensors::serialize(views, Some(metadata)).unwrap()
}

fn refused(bytes: &[u8]) -> PackageError {
    Package::from_bytes(bytes).expect_err("the bytes must be refused")
}

#[test]
fn a_package_comes_back_as_it_was_written() {
    let package = package();
    let bytes = package.to_bytes().unwrap();
    assert_eq!(Package::from_bytes(&bytes).unwrap(), package);
    // Digests are only of use when equal packages give equal bytes.
    assert_eq!(Package::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
}

#[test]
fn any_safetensors_reader_reads_the_file() {
    let bytes = package().to_bytes().unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let weight = file.tensor("encoder.conv.weight").unwrap();
    assert_eq!((weight.dtype(), weight.shape()), (Dtype::I8, &[3, 2, 1, 1][..]));
    assert_eq!(weight.data(), [129, 0, 1, 2, 3, 127]);
    let scale = file.tensor("encoder.conv.weight.scale").unwrap();
    assert_eq!((scale.dtype(), scale.shape()), (Dtype::F32, &[3][..]));
    assert_eq!(read_f32(scale.data()), [0.5, 0.0, 0.25]);
}

#[test]
fn a_package_without_self_test_comes_back() {
    let mut package = package();
    package.metadata.self_test = None;
    package.tensors.retain(|name, _| !name.starts_with("self_test."));
    assert_eq!(Package::from_bytes(&package.to_bytes().unwrap()).unwrap(), package);
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let bytes = package().to_bytes().unwrap();
    for part in 0..50 {
        refused(&bytes[..bytes.len() * part / 50]);
    }
    refused(&bytes[..bytes.len() - 1]);
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(refused(&longer), PackageError::Container { .. }));
    assert!(matches!(refused(&[]), PackageError::Length { expected: 8, found: 0, .. }));
}

#[test]
fn flipped_bits_never_panic() {
    let bytes = package().to_bytes().unwrap();
    let header_end = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    // Every byte of the header, and a sample of the data, where a flip is often a valid number and
    // only the manifest's digest tells.
    let places = (0..header_end).chain((header_end..bytes.len()).step_by(97));
    for place in places {
        for bit in [0, 3, 6, 7] {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            let _ = Package::from_bytes(&changed);
        }
    }
}

#[test]
fn an_absurd_header_size_is_refused_before_anything_is_read() {
    let mut bytes = package().to_bytes().unwrap();
    for size in [u64::MAX, 1 << 40, MAX_HEADER_BYTES + 1] {
        bytes[..8].copy_from_slice(&size.to_le_bytes());
        match refused(&bytes) {
            PackageError::Limit { limit, found, .. } => {
                assert_eq!((limit, found), (MAX_HEADER_BYTES, size));
            }
            other => panic!("{other}"),
        }
    }
    bytes[..8].copy_from_slice(&MAX_HEADER_BYTES.to_le_bytes());
    assert!(matches!(refused(&bytes), PackageError::Length { .. }));
}

#[test]
fn headers_that_are_no_json_are_refused() {
    for header in ["", "{", "[]", "null", "{\"a\":1}", &"[".repeat(10_000), "{} {}"] {
        refused(&raw(header, &[]));
    }
    let mut bytes = raw("{\"__metadata__\":{\"medley\":\"x\"}}", &[]);
    assert!(matches!(refused(&bytes), PackageError::Json { .. }));
    bytes[12] = 0xff; // not UTF-8
    refused(&bytes);
}

#[test]
fn offsets_and_shapes_that_lie_are_refused() {
    let metadata = serde_json::to_string(&package().metadata).unwrap();
    let header = |tensor: &str| {
        let metadata = serde_json::to_string(&metadata).unwrap();
        format!("{{\"__metadata__\":{{\"medley\":{metadata}}},\"a\":{tensor}}}")
    };
    for tensor in [
        r#"{"dtype":"F32","shape":[2],"data_offsets":[0,4]}"#,
        r#"{"dtype":"F32","shape":[1],"data_offsets":[4,8]}"#,
        r#"{"dtype":"F32","shape":[1],"data_offsets":[4,0]}"#,
        r#"{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,8]}"#,
        r#"{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}"#,
        r#"{"dtype":"F99","shape":[2],"data_offsets":[0,8]}"#,
    ] {
        let error = refused(&raw(&header(tensor), &[0; 8]));
        assert!(matches!(error, PackageError::Container { .. }), "{tensor}: {error}");
    }
}

#[test]
fn a_name_that_appears_twice_is_refused() {
    let tensor = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let bytes = raw(&format!("{{\"a\":{tensor},\"a\":{tensor}}}"), &[0; 4]);
    match refused(&bytes) {
        PackageError::Duplicate { what, name, .. } => assert_eq!((what, &*name), ("tensor", "a")),
        other => panic!("{other}"),
    }

    let mut package = package();
    let scale = PackedTensor::Float { shape: vec![3], data: vec![1.0; 3] };
    package.tensors.insert("encoder.conv.weight.scale".into(), scale);
    assert!(matches!(package.to_bytes(), Err(PackageError::Duplicate { .. })));
}

#[test]
fn a_plain_safetensors_file_is_called_by_its_name() {
    let plain = foreign_with(&[("a", Dtype::F32, &[1], &[0; 4])], HashMap::new());
    assert!(matches!(refused(&plain), PackageError::NotAPackage { .. }));
}

#[test]
fn an_unknown_format_version_is_named_even_when_the_rest_is_foreign() {
    let json = "{\"format_version\":7,\"all\":\"new\"}".to_string();
    let bytes = foreign_with(&[], HashMap::from([("medley".to_string(), json)]));
    assert!(matches!(refused(&bytes), PackageError::Version { expected: 1, found: 7, .. }));
}

#[test]
fn metadata_with_a_number_that_is_none_is_refused() {
    let json = serde_json::to_string(&package().metadata).unwrap();
    for wrong in ["NaN", "null", "1e999", "\"0.5\""] {
        let json = json.replace("\"value\":0.5", &format!("\"value\":{wrong}"));
        let bytes = foreign_with(&[], HashMap::from([("medley".to_string(), json)]));
        assert!(matches!(refused(&bytes), PackageError::Json { .. }), "{wrong}");
    }
    let mut package = package();
    package.metadata.quality[0].value = f64::NAN;
    assert!(matches!(package.to_bytes(), Err(PackageError::Field { .. })));
}

#[test]
fn other_number_types_are_refused() {
    for (dtype, bytes) in [(Dtype::F16, 2), (Dtype::F64, 8), (Dtype::U8, 1), (Dtype::I64, 8)] {
        match refused(&foreign(&[("a", dtype, &[1], &vec![0; bytes])])) {
            PackageError::Dtype { name, found, .. } => {
                assert_eq!((&*name, found), ("a", dtype.to_string()));
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn an_int8_tensor_needs_its_scale() {
    let weight = ("w", Dtype::I8, &[2, 2][..], &[1, 2, 3, 4][..]);
    match refused(&foreign(&[weight])) {
        PackageError::MissingTensor { name, because } => {
            assert_eq!((&*name, &*because), ("w.scale", "the I8 tensor w"));
        }
        other => panic!("{other}"),
    }
    // The scale of another type is no scale.
    let int_scale = ("w.scale", Dtype::I8, &[2][..], &[1, 1][..]);
    assert!(matches!(refused(&foreign(&[weight, int_scale])), PackageError::MissingTensor { .. }));

    for shape in [&[1][..], &[3], &[4], &[2, 1], &[]] {
        let data = vec![0; 4 * shape.iter().product::<usize>()];
        let error = refused(&foreign(&[weight, ("w.scale", Dtype::F32, shape, &data)]));
        assert!(matches!(&error, PackageError::Shape { name, .. } if name == "w.scale"), "{error}");
    }
    for value in [f32::NAN, f32::INFINITY, -1.0] {
        let data = [1.0f32.to_le_bytes(), value.to_le_bytes()].concat();
        let error = refused(&foreign(&[weight, ("w.scale", Dtype::F32, &[2], &data)]));
        assert!(matches!(error, PackageError::Value { index: 1, .. }), "{error}");
    }
    let scalar = ("w", Dtype::I8, &[][..], &[1][..]);
    refused(&foreign(&[scalar, ("w.scale", Dtype::F32, &[1], &[0; 4])]));
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let data = [0.0f32.to_le_bytes(), f32::NAN.to_le_bytes()].concat();
    let error = refused(&foreign(&[("a", Dtype::F32, &[2], &data)]));
    assert!(matches!(error, PackageError::Value { index: 1, .. }), "{error}");
}

#[test]
fn empty_axes_too_many_axes_and_strange_names_are_refused() {
    assert!(matches!(
        refused(&foreign(&[("a", Dtype::F32, &[0], &[])])),
        PackageError::Shape { .. }
    ));
    assert!(matches!(
        refused(&foreign(&[("a", Dtype::F32, &[1; 9], &[0; 4])])),
        PackageError::Shape { .. }
    ));
    assert!(matches!(
        refused(&foreign(&[("a/../b", Dtype::F32, &[1], &[0; 4])])),
        PackageError::Field { .. }
    ));
}

#[test]
fn too_many_tensors_are_refused_on_their_number_alone() {
    let names: Vec<String> = (0..=MAX_TENSORS).map(|i| format!("\"t{i}\":0")).collect();
    let bytes = raw(&format!("{{{}}}", names.join(",")), &[]);
    assert!(matches!(refused(&bytes), PackageError::Limit { .. }));
}

#[test]
fn a_self_test_is_whole_or_not_there() {
    let change = |change: &dyn Fn(&mut Package)| {
        let mut package = package();
        change(&mut package);
        package.to_bytes().expect_err("the package must be refused")
    };
    let output = "self_test.output.lungs";
    for name in [SELF_TEST_INPUT, output] {
        let error = change(&|p| drop(p.tensors.remove(name)));
        assert!(matches!(&error, PackageError::MissingTensor { name: n, .. } if n == name));
    }
    let error = change(&|p| p.metadata.self_test = None);
    assert!(matches!(error, PackageError::Field { .. }), "{error}");
    let error = change(&|p| {
        let float = PackedTensor::Float { shape: vec![1], data: vec![0.0] };
        p.tensors.insert("self_test.output.unknown".into(), float);
    });
    assert!(matches!(error, PackageError::Field { .. }), "{error}");
    let error = change(&|p| {
        let float = PackedTensor::Float { shape: vec![1, 3, 1, 1], data: vec![0.0; 3] };
        p.tensors.insert(SELF_TEST_INPUT.into(), float);
    });
    assert!(matches!(error, PackageError::Shape { .. }), "{error}");
    let error = change(&|p| {
        let int8 = PackedTensor::Int8 { shape: vec![1], data: vec![0], scale: vec![1.0] };
        p.tensors.insert(output.into(), int8);
    });
    assert!(matches!(error, PackageError::Dtype { .. }), "{error}");
    let error = change(&|p| p.metadata.self_test = Some(SelfTestSpec { tolerance: f64::NAN }));
    assert!(matches!(error, PackageError::Field { .. }), "{error}");
}
