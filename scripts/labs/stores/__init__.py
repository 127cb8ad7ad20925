# SPDX-License-Identifier: GPL-2.0-or-later
"""What lab-cap and lab-consistency share: clients of two stores, a history of what they saw, and judges of histories."""
