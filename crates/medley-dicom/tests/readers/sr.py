"""Reads a TID 1500 report with highdicom and prints what it finds as JSON."""

import json
import sys

import highdicom
import pydicom

report = highdicom.sr.srread(sys.argv[1])
content = report.content


def texts(group, code):
    return [
        str(item.TextValue)
        for item in group.ContentSequence
        if item.ValueType == "TEXT" and item.ConceptNameCodeSequence[0].CodeValue == code
    ]


found = []
groups = content.get_image_measurement_groups() + content.get_planar_roi_measurement_groups()
for group in groups:
    finding = group.finding_type
    numbers = {
        item.ConceptNameCodeSequence[0].CodeValue: {
            "value": float(item.MeasuredValueSequence[0].NumericValue),
            "unit": item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue,
        }
        for item in group[0].ContentSequence
        if item.ValueType == "NUM"
    }
    points = [
        [float(v) for v in item.GraphicData]
        for item in group[0].ContentSequence
        if item.ValueType == "SCOORD"
    ]
    found.append(
        {
            "tracking": group.tracking_identifier,
            "tracking_uid": str(group.tracking_uid),
            "finding": finding.value,
            "scheme": finding.scheme_designator,
            "numbers": numbers,
            "points": points,
            "name": texts(group[0], "111001"),
            "version": texts(group[0], "111003"),
            "parameters": texts(group[0], "111002"),
        }
    )

plain = pydicom.dcmread(sys.argv[1])
print(
    json.dumps(
        {
            "title": content[0].name.value,
            "study": str(plain.StudyInstanceUID),
            "evidence": [
                str(item.ReferencedSOPInstanceUID)
                for study in plain.CurrentRequestedProcedureEvidenceSequence
                for series in study.ReferencedSeriesSequence
                for item in series.ReferencedSOPSequence
            ],
            "groups": found,
        }
    )
)
