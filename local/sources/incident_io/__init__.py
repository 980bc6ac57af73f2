"""A double of the incident.io API: incident archives in, the vendor's wire format out, with faults on request."""
