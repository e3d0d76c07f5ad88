"""Prints a digest of each frame of one bit a sample, of two kinds that pydicom does not decode itself.

zlib inflates the frames of one kind; pydicom's unpacking of RLE segments, which it has for whole bytes, does for the
other. NumPy makes bytes of the bits.
"""

import hashlib
import json
import sys
import zlib

import numpy
import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.rle import _rle_decode_segment, _rle_parse_header

DEFLATED = "1.2.840.10008.1.2.8.1"

mask = pydicom.dcmread(sys.argv[1])
pixels = mask.Rows * mask.Columns


def packed(frame):
    if mask.file_meta.TransferSyntaxUID == DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame)
    (begin,) = _rle_parse_header(frame[:64])
    return bytes(_rle_decode_segment(frame[begin:]))


def digest(frame):
    bits = numpy.frombuffer(packed(frame), numpy.uint8)
    samples = numpy.unpackbits(bits, bitorder="little")[:pixels]
    assert samples.size == pixels, samples.size
    return hashlib.sha256(samples.tobytes()).hexdigest()


frames = generate_frames(mask.PixelData, number_of_frames=int(mask.NumberOfFrames))
print(json.dumps({"frames": [digest(frame) for frame in frames]}))
