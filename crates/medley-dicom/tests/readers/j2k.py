"""Encodes grey of 16 bits without loss as a JPEG 2000 codestream: Pillow, hence OpenJPEG."""

import json
import sys

from PIL import Image

source, width, height, sign, target = sys.argv[1:]
with open(source, "rb") as file:
    image = Image.frombytes("I;16", (int(width), int(height)), file.read())
image.save(target, "JPEG2000", no_jp2=True, irreversible=False, signed=sign == "signed")
print(json.dumps({}))
