"""The interfaces of other ELMo packages, so that code written for them runs here.

One module or folder a package: `tfhub` (`hub.Module` of TensorFlow 1), `allennlp`,
`simple_elmo`, `bilm_tf`. Each translates names, shapes and conventions, and computes
with the layers of this package.
"""
