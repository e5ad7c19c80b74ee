"""What the compiler said that a list lets in beyond the policy, as Layers."""


def layers(diagnostics, acl):
    """Layers of every packet that the notes of a run announce for a list."""
    del diagnostics, acl
    return []
