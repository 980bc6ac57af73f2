"""A Cloud Storage emulator that the real google-cloud-storage client talks to.

It serves the JSON API with real preconditions: a check and the write that depends on it are one SQLite
transaction in a single-threaded process, so compare-and-swap holds under any number of clients.

Not emulated: object versions and soft delete, IAM, retention policies, signature checks of signed URLs,
gRPC and appendable uploads, decompressive transcoding, and the limit of one write a second to an object.
"""
