# Only asked where it lies: it has the METS schema.
