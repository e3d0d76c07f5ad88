"""Reads a segmentation with pydicom and highdicom and prints what they find as JSON."""

import hashlib
import json
import sys

import highdicom
import numpy
import pydicom

path = sys.argv[1]
plain = pydicom.dcmread(path)
seg = highdicom.seg.segread(path)
frames = plain.pixel_array
if frames.ndim == 2:
    frames = frames[None]

found = []
for frame, groups in zip(frames, plain.PerFrameFunctionalGroupsSequence):
    source = groups.DerivationImageSequence[0].SourceImageSequence[0]
    position = None
    if "PlanePositionSequence" in groups:
        position = [float(v) for v in groups.PlanePositionSequence[0].ImagePositionPatient]
    found.append(
        {
            "segment": int(groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber),
            "instance": str(source.ReferencedSOPInstanceUID),
            "frame": int(source.get("ReferencedFrameNumber", 1)),
            "position": position,
            "sha256": hashlib.sha256(frame.astype(numpy.uint8).tobytes()).hexdigest(),
        }
    )

shared = plain.SharedFunctionalGroupsSequence[0]
measures = shared.get("PixelMeasuresSequence")
orientation = shared.get("PlaneOrientationSequence")
segments = [seg.get_segment_description(n) for n in seg.segment_numbers]

# By source, as a viewer asks for the mask of an image.
by_source = None
if seg.segmentation_type == highdicom.seg.SegmentationTypeValues.BINARY:
    first = found[0]
    if "ReferencedFrameNumber" in plain.PerFrameFunctionalGroupsSequence[
        0
    ].DerivationImageSequence[0].SourceImageSequence[0]:
        pixels = seg.get_pixels_by_source_frame(first["instance"], [first["frame"]])
    else:
        pixels = seg.get_pixels_by_source_instance([first["instance"]])
    mask = pixels[0, :, :, first["segment"] - 1].astype(numpy.uint8)
    by_source = hashlib.sha256(mask.tobytes()).hexdigest()

print(
    json.dumps(
        {
            "type": plain.SegmentationType,
            "study": str(plain.StudyInstanceUID),
            "patient": str(plain.PatientName),
            "notice": str(plain.ContentDescription),
            "frames": found,
            "by_source": by_source,
            "spacing": [float(v) for v in measures[0].PixelSpacing] if measures else None,
            "orientation": [float(v) for v in orientation[0].ImageOrientationPatient]
            if orientation
            else None,
            "segments": [
                {
                    "label": segment.segment_label,
                    "category": segment.segmented_property_category.value,
                    "property": segment.segmented_property_type.value,
                    "scheme": segment.segmented_property_type.scheme_designator,
                    "algorithm": segment.algorithm_identification.name,
                    "colour": highdicom.color.CIELabColor.from_dicom_value(
                        segment.RecommendedDisplayCIELabValue
                    ).to_rgb(),
                    "parameters": str(
                        segment.SegmentationAlgorithmIdentificationSequence[0].AlgorithmParameters
                    ),
                }
                for segment in segments
            ],
        }
    )
)
