"""The lab's stand-in for Odoo: see odoo-bin."""
