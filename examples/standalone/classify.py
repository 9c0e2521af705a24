"""Names the class of an image on a board with numpy and pillow: classify.py model.so image.png."""

import json
import sys

import numpy as np
from PIL import Image

import tvm_patdnn
from tvm_patdnn.library.image_facts import image_facts

model = tvm_patdnn.load(sys.argv[1])
((name, (shape, _)),) = model.inputs.items()
facts = image_facts(model.metadata.properties)
pixels = np.asarray(Image.open(sys.argv[2]).convert("RGB").resize((shape[3], shape[2])))
image = (pixels / 255 - np.array(facts.mean)) / np.array(facts.std)
(scores,) = model(image.transpose(2, 0, 1)[None].astype(np.float32))
print(json.dumps({"class": facts.classes[int(scores.argmax())], "input": name}))
