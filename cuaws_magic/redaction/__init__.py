"""
Secrets of AWS in text and notebooks: what they look like, and how they are taken out.

`patterns` finds them in a text, in whatever dress; `notebook` takes them out of a notebook and leaves every other
byte as it was; `known` remembers, as salted hashes, what this home has seen; `live` masks what this kernel
holds now.
"""
