"""Reads a secondary capture with pydicom and prints what it finds as JSON."""

import hashlib
import json
import sys

import pydicom

capture = pydicom.dcmread(sys.argv[1])
pixels = capture.pixel_array
rows = int(sys.argv[2])
print(
    json.dumps(
        {
            "rows": int(capture.Rows),
            "columns": int(capture.Columns),
            "drawing": hashlib.sha256(pixels[:rows].tobytes()).hexdigest(),
            "strip": int(pixels[rows:].max()),
            "comments": str(capture.ImageComments),
            "burned": str(capture.BurnedInAnnotation),
            "number": int(capture.InstanceNumber),
            "instance": str(capture.SOPInstanceUID),
            "series": str(capture.SeriesInstanceUID),
            "source": str(capture.SourceImageSequence[0].ReferencedSOPInstanceUID),
        }
    )
)
