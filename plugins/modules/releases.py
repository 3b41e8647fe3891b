DOCUMENTATION = """
module: releases
short_description: stub
"""
