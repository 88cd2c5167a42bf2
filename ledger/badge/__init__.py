"""The partner's badge: a signed credential that anybody can check without asking its issuer.

The formats are W3C's Verifiable Credentials 2.0, Data Integrity (both of its EdDSA suites) and
Bitstring Status List 1.0, with 1EdTech's Open Badges 3.0 for what the credential says.
"""
