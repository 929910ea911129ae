# The bucket CloudTrail delivers to, unless one exists already. Deliveries are evidence: nothing here destroys them.
resource "aws_s3_bucket" "trail_bucket" {
  count = local.own_bucket ? 1 : 0

  bucket = "cloudtrail-signals-${local.stack_part}"

  lifecycle {
    prevent_destroy = true
  }
}

# Remembers what was published: without it, a replay would publish everything again.
resource "aws_s3_bucket" "archive_bucket" {
  count = local.has_archive ? 1 : 0

  bucket_prefix = "cloudtrail-signals-archive-"

  lifecycle {
    prevent_destroy = true
  }
}

# ---- Settings of both buckets ----

locals {
  buckets = merge(
    local.own_bucket ? { trail_bucket = aws_s3_bucket.trail_bucket[0].id } : {},
    local.has_archive ? { archive_bucket = aws_s3_bucket.archive_bucket[0].id } : {},
  )
}

resource "aws_s3_bucket_server_side_encryption_configuration" "buckets" {
  for_each = local.buckets

  bucket = each.value

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "buckets" {
  for_each = local.buckets

  bucket = each.value

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "buckets" {
  for_each = local.buckets

  bucket                  = each.value
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "buckets" {
  for_each = local.buckets

  bucket = each.value

  versioning_configuration {
    status = "Enabled"
  }
}

# ---- The trail's bucket ----

resource "aws_s3_bucket_lifecycle_configuration" "trail_bucket" {
  count = local.own_bucket ? 1 : 0

  bucket = aws_s3_bucket.trail_bucket[0].id

  rule {
    id     = "expire-deliveries"
    status = "Enabled"

    filter {}

    expiration {
      days = var.trail_retention
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_notification" "trail_bucket" {
  count = local.own_bucket ? 1 : 0

  bucket = aws_s3_bucket.trail_bucket[0].id

  queue {
    events        = ["s3:ObjectCreated:*"]
    queue_arn     = aws_sqs_queue.queue.arn
    filter_prefix = local.has_trail_prefix ? var.trail_prefix : null
  }

  # S3 checks that it may send to the queue when the notification is set.
  depends_on = [aws_sqs_queue_policy.queue_policy]
}

# CloudTrail checks the bucket before it accepts a trail, then writes. The source ARN is exact if the trail is this
# module's, and matches any trail of this account otherwise.
resource "aws_s3_bucket_policy" "trail_bucket_policy" {
  count = local.own_bucket ? 1 : 0

  bucket = aws_s3_bucket.trail_bucket[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "CloudTrailChecks"
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:GetBucketAcl"
        Resource  = aws_s3_bucket.trail_bucket[0].arn
        Condition = {
          ArnLike = {
            "aws:SourceArn" = (local.own_trail
              ? "arn:${local.partition}:cloudtrail:${local.region}:${local.account_id}:trail/${var.name}"
              : "arn:${local.partition}:cloudtrail:*:${local.account_id}:trail/*"
            )
          }
        }
      },
      {
        Sid       = "CloudTrailDelivers"
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource = compact([
          "${aws_s3_bucket.trail_bucket[0].arn}/AWSLogs/${local.account_id}/*",
          local.of_organization ? "${aws_s3_bucket.trail_bucket[0].arn}/AWSLogs/${var.organization_id}/*" : null,
        ])
        Condition = {
          ArnLike = {
            "aws:SourceArn" = (local.own_trail
              ? "arn:${local.partition}:cloudtrail:${local.region}:${local.account_id}:trail/${var.name}"
              : "arn:${local.partition}:cloudtrail:*:${local.account_id}:trail/*"
            )
          }
        }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.trail_bucket[0].arn, "${aws_s3_bucket.trail_bucket[0].arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_cloudtrail" "trail" {
  count = local.own_trail ? 1 : 0

  # The bucket policy refers to the trail by this name.
  name                          = var.name
  s3_bucket_name                = aws_s3_bucket.trail_bucket[0].id
  enable_logging                = true
  is_multi_region_trail         = true
  is_organization_trail         = local.of_organization
  include_global_service_events = true
  enable_log_file_validation    = true
  kms_key_id                    = local.has_trail_kms_key ? var.trail_kms_key_arn : null

  depends_on = [aws_s3_bucket_policy.trail_bucket_policy]
}

# ---- The archive ----

# Signals are kept. Manifests and reports of scans of the past are not.
resource "aws_s3_bucket_lifecycle_configuration" "archive_bucket" {
  count = local.has_archive ? 1 : 0

  bucket = aws_s3_bucket.archive_bucket[0].id

  rule {
    id     = "expire-history"
    status = "Enabled"

    filter {
      prefix = "history/"
    }

    expiration {
      days = 90
    }
  }

  rule {
    id     = "tidy"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_policy" "archive_bucket_policy" {
  count = local.has_archive ? 1 : 0

  bucket = aws_s3_bucket.archive_bucket[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.archive_bucket[0].arn, "${aws_s3_bucket.archive_bucket[0].arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# The role of the S3 Batch Operations jobs with which "make history" scans the past.
resource "aws_iam_role" "history_role" {
  count = local.has_archive ? 1 : 0

  name_prefix = local.prefix

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "batchoperations.s3.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
    ]
  })
}

resource "aws_iam_role_policy" "history_role" {
  count = local.has_archive ? 1 : 0

  name = "scan-the-past"
  role = aws_iam_role.history_role[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "InvokeTheFunction"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = aws_lambda_function.function.arn
      },
      {
        Sid      = "ReadManifest"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = "${aws_s3_bucket.archive_bucket[0].arn}/history/manifests/*"
      },
      {
        Sid      = "WriteReport"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "${aws_s3_bucket.archive_bucket[0].arn}/history/reports/*"
      },
    ]
  })
}
