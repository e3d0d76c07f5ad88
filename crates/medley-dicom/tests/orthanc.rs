//! DICOMweb against a real server: Orthanc with its plug-in.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod support;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use medley_dicom::DicomFile;
use medley_dicom::dicomweb::{
    DicomWeb, DicomWebError, Method, Request, Response, Stored, read_found, read_parts, read_stored,
};
use medley_dicom::export::{
    ExportContext, ModelIdentity, Privacy, Segment, SegmentationInput, SegmentationKind,
    SegmentedSlice, SourceImage, Timestamp, write_segmentation,
};
use support::{fixture, fixtures};
use tempfile::TempDir;

/// Where Debian's packages put program and plug-in.
const PROGRAM: &str = "/usr/sbin/Orthanc";
const PLUGIN: &str = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";
const START: Duration = Duration::from_secs(60);

/// A server with an empty store, which ends with the test.
struct Orthanc {
    process: Child,
    base: String,
    _store: TempDir,
}

impl Drop for Orthanc {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Orthanc {
    /// Says so where the packages are missing; the test is then to end.
    fn start(test: &str) -> Option<Self> {
        if !Path::new(PROGRAM).is_file() || !Path::new(PLUGIN).is_file() {
            eprintln!(
                "SKIPPED {test}: no Orthanc; Debian: `apt-get install orthanc orthanc-dicomweb`"
            );
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let store = tempfile::tempdir().unwrap();
        let configuration = store.path().join("orthanc.json");
        let settings = serde_json::json!({
            "StorageDirectory": store.path().join("db"),
            "IndexDirectory": store.path().join("db"),
            "Plugins": [PLUGIN],
            "HttpPort": port,
            "DicomServerEnabled": false,
            "RemoteAccessAllowed": false,
            "AuthenticationEnabled": false,
            "DicomWeb": { "Enable": true, "Root": "/dicom-web/" },
        });
        fs::write(&configuration, settings.to_string()).unwrap();
        let process = Command::new(PROGRAM)
            .arg(&configuration)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server =
            Self { process, base: format!("http://127.0.0.1:{port}/dicom-web"), _store: store };
        let begin = Instant::now();
        while ureq::get(format!("{}/studies", server.base)).call().is_err() {
            assert!(begin.elapsed() < START, "Orthanc does not answer");
            sleep(Duration::from_millis(200));
        }
        Some(server)
    }
}

/// What was answered: status, content type, body.
struct Answer(u16, String, Vec<u8>);

impl Answer {
    fn response(&self) -> Response<'_> {
        Response { status: self.0, content_type: &self.1, body: &self.2 }
    }
}

fn send(request: Request) -> Answer {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = match request.method {
        Method::Get => {
            let mut call = agent.get(&request.url);
            for (name, value) in &request.headers {
                call = call.header(name, value);
            }
            call.call().unwrap()
        }
        Method::Post => {
            let mut call = agent.post(&request.url);
            for (name, value) in &request.headers {
                call = call.header(name, value);
            }
            call.send(&request.body).unwrap()
        }
    };
    let kind = response.headers().get("content-type");
    let kind = kind.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = response.body_mut().read_to_vec().unwrap();
    Answer(response.status().as_u16(), kind, body)
}

#[test]
fn a_study_goes_from_orthanc_to_a_stored_segmentation() {
    let Some(folder) = fixtures("DICOMweb") else { return };
    let Some(orthanc) = Orthanc::start("DICOMweb") else { return };
    let server = DicomWeb::new(&orthanc.base).unwrap().with_token(|| Some("any".into()));
    let slice = fixture(&folder, "002_CT_small.dcm");
    let stored = send(server.store(&[&slice]).unwrap());
    assert_eq!(read_stored(&stored.response()).unwrap(), Stored { stored: 1, failed: 0 });

    // Search from the study down.
    let query = [("PatientID", "1CT1"), ("includefield", "0020000D")];
    let answer = send(server.search_studies(&query).unwrap());
    let studies = read_found(&answer.response()).unwrap();
    assert_eq!(studies.len(), 1);
    let study = studies[0].text("0020000D").unwrap();
    let answer = send(server.search_series(study, &[("Modality", "CT")]).unwrap());
    let series = read_found(&answer.response()).unwrap();
    let series = series[0].text("0020000E").unwrap();
    let answer = send(server.search_instances(study, series, &[]).unwrap());
    let instances = read_found(&answer.response()).unwrap();
    let instance = instances[0].text("00080018").unwrap();
    let none = send(server.search_studies(&[("PatientID", "nobody")]).unwrap());
    assert!(read_found(&none.response()).unwrap().is_empty());

    // The file and its frame come back as they are.
    let original = DicomFile::parse(&slice).unwrap();
    let samples = original.frame(0).unwrap().samples;
    let answer = send(server.retrieve(&[study, series, instance]).unwrap());
    let parts = read_parts(&answer.response()).unwrap();
    assert_eq!(parts.len(), 1);
    let file = DicomFile::parse(parts[0]).unwrap();
    assert_eq!(file.frame(0).unwrap().samples, samples);
    let answer = send(server.retrieve_frames([study, series, instance], &[1]).unwrap());
    let frames = read_parts(&answer.response()).unwrap();
    assert_eq!(frames, [samples.to_le_bytes().as_slice()]);

    // A result is stored in the same study, and found.
    let source = SourceImage::new(&file, 0).unwrap();
    let plane = (0..source.rows() * source.columns()).map(|i| u8::from(i % 7 == 0)).collect();
    let input = SegmentationInput {
        kind: SegmentationKind::Binary,
        segments: vec![Segment::of_class("lung")],
        slices: vec![SegmentedSlice { source, planes: vec![plane] }],
    };
    let context = ExportContext {
        model: ModelIdentity {
            name: "medley-nano".into(),
            version: "0.1.0".into(),
            weights_sha256: "00".repeat(32),
            self_test: None,
        },
        created: Timestamp::from_unix_seconds(1_700_000_000),
        privacy: Privacy::Keep,
    };
    let seg = write_segmentation(&input, &context).unwrap();
    let stored = send(server.store(&[&seg]).unwrap());
    assert_eq!(read_stored(&stored.response()).unwrap(), Stored { stored: 1, failed: 0 });
    let answer = send(server.search_series(study, &[("Modality", "SEG")]).unwrap());
    assert_eq!(read_found(&answer.response()).unwrap().len(), 1);

    let missing = send(server.retrieve(&["1.2.3"]).unwrap());
    let error = read_parts(&missing.response()).unwrap_err();
    assert!(matches!(error, DicomWebError::Status { status: 404, .. }), "{error:?}");
}
