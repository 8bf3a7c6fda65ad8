"""Who signed this request? Schemes read it, the key book knows the keys, the judge gives the verdict."""
