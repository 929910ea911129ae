resource "aws_lambda_function" "function" {
  function_name    = var.name
  filename         = var.code_file
  s3_bucket        = var.code_bucket
  s3_key           = var.code_key
  source_code_hash = var.code_file == null ? var.code_sha256 : filebase64sha256(var.code_file)

  description   = "Publishes a signal for every CloudTrail record that satisfies a detection rule."
  handler       = "bootstrap"
  runtime       = "provided.al2023"
  architectures = [var.architecture]
  layers        = local.has_rules_layer ? [var.rules_layer_arn] : null
  memory_size   = var.memory_size
  timeout       = 60
  role          = aws_iam_role.function_role.arn

  logging_config {
    log_format            = "JSON"
    application_log_level = var.log_level
    log_group             = aws_cloudwatch_log_group.function_log_group.name
  }

  environment {
    variables = {
      SIGNAL_TOPIC_ARN      = aws_sns_topic.signal_topic.arn
      EXCEPTION_QUERY       = var.exception_query
      EMBEDDED_RULES        = local.has_starter_rules ? "starter" : "seed"
      RULES_BUNDLE          = local.has_rules_layer ? "/opt/rules.json" : ""
      TRAIL_BUCKET_OWNER    = var.trail_bucket_owner
      SIGNAL_ARCHIVE_BUCKET = local.has_archive ? aws_s3_bucket.archive_bucket[0].id : ""
      NOTICE_TOPIC_ARN      = local.has_notices ? aws_sns_topic.notice_topic[0].arn : ""
      NOTICES               = local.has_notices ? var.notices : ""
      NOTICE_QUIET_SECONDS  = var.notice_quiet_seconds
      MEMORY_TABLE          = local.own_memory ? aws_dynamodb_table.memory_table[0].name : var.memory_table_arn
      ACCOUNT_SILENCE_HOURS = var.account_silence_hours
      LEARNING_DAYS         = var.learning_days
      METRICS_NAMESPACE     = var.metrics_namespace
    }
  }

  lifecycle {
    precondition {
      condition     = (var.code_file == null) == (var.code_bucket != null && var.code_key != null)
      error_message = "Name either code_file, or code_bucket and code_key."
    }
    precondition {
      condition     = !var.create_trail || var.trail_bucket_name == ""
      error_message = "create_trail works only with the bucket this stack makes; leave trail_bucket_name empty."
    }
    precondition {
      condition     = var.organization_id == "" || var.create_trail
      error_message = "organization_id is for the trail this stack makes; set create_trail to true, or leave it empty."
    }
    precondition {
      condition     = var.delivery_topic_arn == "" || var.trail_bucket_name != ""
      error_message = "delivery_topic_arn says when to read; set trail_bucket_name to say which bucket may be read."
    }
    precondition {
      condition     = var.notices != "none" || var.notice_email == ""
      error_message = "With notices none there is nothing to send; leave notice_email empty, or set notices to alerts."
    }
    precondition {
      condition     = var.notices != "none" || (var.slack_channel_id == "" && var.teams_channel_id == "")
      error_message = "With notices none there is nothing to send; leave the channels empty, or set notices to alerts."
    }
    precondition {
      condition     = var.memory || var.memory_table_arn == ""
      error_message = "Without memory no table is used; leave memory_table_arn empty, or set memory to true."
    }
    precondition {
      condition     = var.memory || var.account_silence_hours == 0
      error_message = "account_silence_hours notes deliveries in the table; set memory to true, or leave it at 0."
    }
    precondition {
      condition     = var.slack_workspace_id == var.slack_channel_id || (var.slack_workspace_id != "" && var.slack_channel_id != "")
      error_message = "Slack needs slack_workspace_id and slack_channel_id; set both, or leave both empty."
    }
    precondition {
      condition     = (var.teams_tenant_id == "" && var.teams_team_id == "" && var.teams_channel_id == "") || (var.teams_tenant_id != "" && var.teams_team_id != "" && var.teams_channel_id != "")
      error_message = "Teams needs teams_tenant_id, teams_team_id and teams_channel_id; set all three, or none."
    }
  }
}

resource "aws_lambda_event_source_mapping" "function" {
  function_name    = aws_lambda_function.function.arn
  event_source_arn = aws_sqs_queue.queue.arn
  batch_size       = 10

  # A bad delivery is retried by itself, never together with the rest of its batch.
  function_response_types = ["ReportBatchItemFailures"]

  # With reserved concurrency, Lambda could fetch messages that it then has no instance of the function for, and each
  # such fetch counts as a receive on the way to the dead-letter queue.
  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }

  # Lambda checks that the role may read the queue when the mapping is created.
  depends_on = [aws_iam_role_policy.function_role]
}

resource "aws_cloudwatch_log_group" "function_log_group" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention
}

resource "aws_iam_role" "function_role" {
  name        = local.has_role_name ? var.function_role_name : null
  name_prefix = local.has_role_name ? null : local.prefix

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "lambda.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })
}

locals {
  trail_buckets = local.own_bucket ? [aws_s3_bucket.trail_bucket[0].id] : split(",", var.trail_bucket_name)
}

resource "aws_iam_role_policy" "function_role" {
  name = "read-deliveries-publish-signals"
  role = aws_iam_role.function_role.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for statement in [
      {
        Sid      = "TakeFromQueue"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = aws_sqs_queue.queue.arn
      },
      # A notification from a versioned bucket names a version, and reading a version needs its own permission.
      {
        Sid      = "ReadDeliveries"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = [for bucket in local.trail_buckets : "arn:${local.partition}:s3:::${bucket}/${var.trail_prefix}*"]
      },
      # Without this, S3 answers "forbidden" for an object that does not exist.
      {
        Sid      = "TellMissingFromForbidden"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = [for bucket in local.trail_buckets : "arn:${local.partition}:s3:::${bucket}"]
      },
      local.has_trail_kms_key ? {
        Sid       = "DecryptDeliveries"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = var.trail_kms_key_arn
        Condition = { StringLike = { "kms:ViaService" = "s3.*.amazonaws.com*" } }
      } : null,
      # To read an encrypted queue, to publish to an encrypted topic, and to use an encrypted table.
      local.has_signal_kms_key ? {
        Sid      = "UseSignalKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.signal_kms_key_arn
        Condition = {
          StringLike = {
            "kms:ViaService" = ["sqs.*.amazonaws.com*", "sns.*.amazonaws.com*", "dynamodb.*.amazonaws.com*"]
          }
        }
      } : null,
      # Looked up before a signal is published, written after.
      local.has_archive ? {
        Sid      = "KeepSignals"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "${aws_s3_bucket.archive_bucket[0].arn}/signals/*"
      } : null,
      # Without this, a signal that is not there yet is "forbidden". A lookup of one object names no prefix.
      local.has_archive ? {
        Sid      = "TellNewFromForbidden"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = aws_s3_bucket.archive_bucket[0].arn
      } : null,
      # Read in batches and written one by one, since batch writes do not support conditions.
      local.has_memory ? {
        Sid      = "Remember"
        Effect   = "Allow"
        Action   = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
        Resource = local.has_memory_table ? var.memory_table_arn : aws_dynamodb_table.memory_table[0].arn
      } : null,
      {
        Sid      = "PublishSignals"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = aws_sns_topic.signal_topic.arn
      },
      local.has_notices ? {
        Sid      = "PublishNotices"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = aws_sns_topic.notice_topic[0].arn
      } : null,
      local.has_notice_topics ? {
        Sid      = "PublishNoticesElsewhere"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = var.notice_topic_arns
      } : null,
      {
        Sid      = "WriteLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.function_log_group.arn}:*"
      },
    ] : statement if statement != null]
  })
}
