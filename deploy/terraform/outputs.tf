output "topic_arn" {
  description = "The topic signals are published on; subscribe to it."
  value       = aws_sns_topic.signal_topic.arn
}

output "notice_topic_arn" {
  description = "The topic notices for people are published on; subscribe to it."
  value       = one(aws_sns_topic.notice_topic[*].arn)
}

output "queue_url" {
  description = "The queue deliveries wait in."
  value       = aws_sqs_queue.queue.url
}

output "dead_letter_queue_url" {
  description = "The queue of messages that failed five times; it should be empty."
  value       = aws_sqs_queue.dead_letter_queue.url
}

output "bucket_name" {
  description = "The bucket deliveries are read from; several have commas between them."
  value       = local.own_bucket ? aws_s3_bucket.trail_bucket[0].id : var.trail_bucket_name
}

output "function_name" {
  description = "The function."
  value       = aws_lambda_function.function.function_name
}

output "function_arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.function.arn
}

output "function_role_arn" {
  description = "What the function runs as; a bucket or a key in another account must let it in."
  value       = aws_iam_role.function_role.arn
}

output "log_group_name" {
  description = "The function's log."
  value       = aws_cloudwatch_log_group.function_log_group.name
}

output "dashboard_name" {
  description = "The CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.dashboard.dashboard_name
}

output "memory_table_name" {
  description = "The table of what rules remember. New rules only learn for some days; past deliveries teach them at once: make history LEARN=yes. docs/memory.md"
  value       = local.own_memory ? aws_dynamodb_table.memory_table[0].name : var.memory_table_arn
}

output "memory_table_arn" {
  description = "The same for memory_table_arn of stacks in other regions, so that they remember together."
  value       = one(aws_dynamodb_table.memory_table[*].arn)
}

output "archive_bucket_name" {
  description = "The bucket that keeps every signal."
  value       = one(aws_s3_bucket.archive_bucket[*].id)
}

output "history_role_arn" {
  description = "What a scan of the past runs as."
  value       = one(aws_iam_role.history_role[*].arn)
}
